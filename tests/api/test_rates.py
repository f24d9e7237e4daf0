"""More than anybody needs is refused, by session and by address, for requests and for sockets."""

from dataclasses import replace

import pytest

from slots.settings import Settings
from tests.api.conftest import Running, make_boards_ready, problem
from web.app import create_app
from web.rates import MINUTE_S, PER_ADDRESS, PER_SESSION, Kind, Rates, kind_of
from web.refusals import TooManyRequests

ANN, BOB = {"cookie": "chrono48=ann"}, {"cookie": "chrono48=bob"}
KEY = {"authorization": "Bearer c48_key"}


class StandingClock:
    now_s = 1_000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock():
    return StandingClock()


@pytest.fixture
def rates(settings: Settings, clock):
    """The layer alone, with the limits of an installation; what it lets through is counted."""
    passed = []

    async def app(scope, receive, send):
        passed.append(scope)

    layer = Rates(app, replace(settings, rate_factor=1), clock)
    layer.passed = passed
    return layer


def asking(kind, headers=(), address="192.0.2.1"):
    """A scope that counts as *kind*."""
    path, method = {
        Kind.DOOR: ("/connexion", "POST"),
        Kind.COMMAND: ("/api/v1/slots", "POST"),
        Kind.LOOK: ("/api/v1/slots", "GET"),
        Kind.SOCKET: ("/live", None),
    }[kind]
    return {
        "type": "websocket" if kind is Kind.SOCKET else "http",
        "path": path,
        "client": (address, 1234),
        "headers": [(name.encode(), value.encode()) for name, value in dict(headers).items()],
        **({"method": method} if method else {}),
    }


async def passes(rates, scope):
    try:
        await rates(scope, None, None)
    except TooManyRequests:
        return False
    return True


@pytest.mark.parametrize("kind", Kind)
async def test_an_address_has_its_limit_and_others_have_theirs(rates, kind):
    for _ in range(PER_ADDRESS[kind]):
        assert await passes(rates, asking(kind))

    assert not await passes(rates, asking(kind))
    assert await passes(rates, asking(kind, address="192.0.2.2"))
    assert len(rates.passed) == PER_ADDRESS[kind] + 1


async def test_a_minute_after_its_first_request_an_address_may_ask_again(rates, clock):
    for _ in range(PER_ADDRESS[Kind.DOOR]):
        await passes(rates, asking(Kind.DOOR))
    clock.now_s += MINUTE_S - 0.5
    with pytest.raises(TooManyRequests) as refused:
        await rates(asking(Kind.DOOR), None, None)
    assert refused.value.retry_after_s == 1

    clock.now_s += 0.5
    assert await passes(rates, asking(Kind.DOOR))


async def test_who_came_long_ago_is_forgotten(rates, clock):
    for number in range(100):
        await passes(rates, asking(Kind.LOOK, address=f"192.0.2.{number}"))
    clock.now_s += MINUTE_S
    await passes(rates, asking(Kind.LOOK, address="198.51.100.1"))

    assert len(rates._windows_of_addresses._counts) == 1


@pytest.mark.parametrize("kind", PER_SESSION)
@pytest.mark.parametrize("who", [ANN, KEY], ids=["cookie", "key"])
async def test_a_session_has_its_limit_wherever_it_comes_from(rates, kind, who):
    for number in range(PER_SESSION[kind]):
        assert await passes(rates, asking(kind, who, address=f"198.51.100.{number % 200}"))

    assert not await passes(rates, asking(kind, who, address="203.0.113.9"))
    assert await passes(rates, asking(kind, BOB, address="203.0.113.9"))


async def test_invented_cookies_do_not_get_round_the_limit_of_an_address(rates):
    for number in range(PER_ADDRESS[Kind.SOCKET]):
        assert await passes(rates, asking(Kind.SOCKET, {"cookie": f"chrono48=c{number}"}))

    assert not await passes(rates, asking(Kind.SOCKET, {"cookie": "chrono48=another"}))


async def test_a_session_that_asks_too_much_uses_up_nothing_of_its_address(rates):
    for _ in range(PER_SESSION[Kind.COMMAND] + PER_ADDRESS[Kind.COMMAND]):
        await passes(rates, asking(Kind.COMMAND, ANN))

    assert await passes(rates, asking(Kind.COMMAND, BOB))


async def test_all_addresses_of_one_network_of_ipv6_are_one(rates):
    for number in range(PER_ADDRESS[Kind.DOOR]):
        assert await passes(rates, asking(Kind.DOOR, address=f"2001:db8::{number:x}"))

    assert not await passes(rates, asking(Kind.DOOR, address="2001:db8::ffff:1"))
    assert await passes(rates, asking(Kind.DOOR, address="2001:db8:0:1::1"))


async def test_one_kind_does_not_use_up_another(rates):
    for _ in range(PER_ADDRESS[Kind.DOOR]):
        await passes(rates, asking(Kind.DOOR))

    assert not await passes(rates, asking(Kind.DOOR))
    assert await passes(rates, asking(Kind.LOOK))
    assert await passes(rates, asking(Kind.SOCKET))


@pytest.mark.parametrize(
    ("path", "method", "kind"),
    [
        ("/connexion", "GET", Kind.LOOK),
        ("/connexion/facteur", "POST", Kind.DOOR),
        ("/api/v1/session/factor", "POST", Kind.DOOR),
        ("/api/v1/session", "DELETE", Kind.COMMAND),
        ("/lien", "POST", Kind.DOOR),
        ("/annuaire", "GET", Kind.LOOK),
        ("/static/app.js", "GET", None),
        ("/readyz", "GET", None),
    ],
)
def test_each_address_is_counted_where_it_belongs(path, method, kind):
    assert kind_of({"type": "http", "path": path, "method": method}) is kind


async def test_the_service_answers_it_as_a_refusal(world, settings):
    app = create_app(replace(settings, rate_factor=1))
    async with app.router.lifespan_context(app) as state:
        await make_boards_ready(state["desk"])
        async with Running(app, dict(state), settings.base_url).client() as person:
            for _ in range(PER_ADDRESS[Kind.DOOR]):
                answer = await person.post("/api/v1/session/passkey", json={})
            assert problem(answer) == (401, "factor-refused")
            answer = await person.post("/api/v1/session/passkey", json={})
            page = await person.get("/connexion")

    assert problem(answer) == (429, "too-many-requests")
    assert 1 <= int(answer.headers["retry-after"]) <= MINUTE_S
    assert page.status_code == 200
