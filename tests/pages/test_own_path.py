"""Where somebody is sent after signing in is a page of ours, whatever the address says."""

import pytest

from web.pages.page import own_path


@pytest.mark.parametrize(
    "sent",
    [
        *("https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)"),
        *("/\t/evil.example", "/\r\n/evil.example", " /evil", "evil.example", "", None),
    ],
)
def test_another_sites_address_is_no_way_to_go_on(sent):
    assert own_path(sent, "/") == "/"


@pytest.mark.parametrize("sent", ["/annuaire", "/annuaire?q=a%2Fb#c", "/rendez-vous/1?back=/x"])
def test_a_page_of_ours_is(sent):
    assert own_path(sent, "/") == sent
