"""What a PC takes for a sign that somebody is there."""

import pytest

from web.attention import is_sign_of_a_person


def asked(method="GET", query=b"", **headers):
    named = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return is_sign_of_a_person(
        {"type": "http", "method": method, "query_string": query, "headers": named}
    )


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_whatever_changes_something_is_one(method):
    assert asked(method)


def test_what_waits_for_a_network_and_is_sent_again_by_the_page_alone_is_none():
    assert not asked("POST", b"fragment=liste")


def test_a_page_that_somebody_opens_is_one_and_a_part_that_is_drawn_again_is_none():
    assert asked(sec_fetch_mode="navigate")
    assert not asked(sec_fetch_mode="cors")
    assert not asked(query=b"fragment=liste", accept="text/html")
