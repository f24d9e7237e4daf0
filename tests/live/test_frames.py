import contextlib
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from web.live import frames
from web.live.frames import BadFrame, CloseCode, Following, Pong, Subscribe

# A busy machine is slow, which says nothing about us.
patient = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
SCALAR = st.none() | st.integers() | st.text(max_size=5) | st.just([]) | st.just({})
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda values: st.lists(values) | st.dictionaries(st.text(), values),
    max_leaves=20,
)


def test_a_subscription_names_territories_and_where_the_client_stands():
    frame = frames.read(
        '{"t":"subscribe","territories":[{"id":"thau"},{"id":"hauts","after":"1.5-0"}],"as":"html"}'
    )

    assert frame == Subscribe([Following("thau"), Following("hauts", "1.5-0")], "html")


def test_json_is_what_a_subscription_gets_unless_it_asks_for_html():
    frame = frames.read('{"t":"subscribe","territories":[{"id":"thau"}]}')

    assert isinstance(frame, Subscribe)
    assert frame.as_ == "json"


def test_a_pong_may_carry_what_we_do_not_know():
    assert frames.read('{"t":"pong","later":1}') == Pong()


@pytest.mark.parametrize(
    "message",
    [
        "",
        "pong",
        "[]",
        "{}",
        '{"t":"hold"}',
        '{"t":1}',
        '{"t":"subscribe"}',
        '{"t":"subscribe","territories":[]}',
        '{"t":"subscribe","territories":["thau"]}',
        '{"t":"subscribe","territories":[{"id":"thau","after":7}]}',
        '{"t":"subscribe","territories":[{"id":"thau"}],"as":"xml"}',
        json.dumps({"t": "subscribe", "territories": [{"id": "x" * 101}]}),
        json.dumps({"t": "subscribe", "territories": [{"id": "x"}] * 65}),
        b"\xff\xfe",
        "[" * 16_000,
    ],
)
def test_what_is_not_of_the_protocol_is_a_bad_frame(message):
    with pytest.raises(BadFrame):
        frames.read(message)


@patient
@given(st.text() | st.binary() | JSON.map(json.dumps))
def test_whatever_a_client_sends_is_a_frame_or_a_bad_frame(message):
    try:
        frame = frames.read(message)
    except BadFrame:
        return
    assert isinstance(frame, Subscribe | Pong)


@patient
@given(
    st.fixed_dictionaries(
        {"t": st.sampled_from(["subscribe", "pong"])},
        optional={
            "territories": SCALAR
            | st.lists(st.dictionaries(st.sampled_from(["id", "after"]), SCALAR), max_size=3),
            "as": SCALAR,
        },
    )
)
def test_a_frame_that_nearly_fits_is_a_frame_or_a_bad_frame(message):
    with contextlib.suppress(BadFrame):
        frames.read(json.dumps(message))


def test_close_codes_say_in_their_number_whether_to_come_back():
    come_back = {code.reason for code in CloseCode if 4000 <= code.number <= 4499}
    stay_away = {code.reason for code in CloseCode if 4500 <= code.number <= 4999}

    assert come_back == {"shutdown", "slow", "silent"}
    assert stay_away == {
        *("not-signed-in", "not-yours", "bad-frame", "rights-changed", "session-locked"),
    }
    assert len({code.number for code in CloseCode}) == len(CloseCode)


def test_frames_are_told_apart_by_t_and_have_the_shapes_of_the_contract():
    heartbeat = json.loads(frames.write(frames.Heartbeat("2026-11-26T16:30:00Z", {}, 0.2, True)))
    skip = json.loads(frames.write(frames.Skip("thau", "1.2-0", "1.1-0")))

    assert heartbeat == {
        "t": "heartbeat",
        "now": "2026-11-26T16:30:00Z",
        "at": {},
        "age_s": 0.2,
        "ledger": True,
    }
    assert skip == {"t": "skip", "territory": "thau", "at": "1.2-0", "prev": "1.1-0"}
    assert json.loads(frames.bye(CloseCode.SLOW)) == {"t": "bye", "code": 4002, "reason": "slow"}
