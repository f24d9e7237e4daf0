"""Three web processes behind one address: nobody notices which of them answers."""

import asyncio
from contextlib import asynccontextmanager
from uuid import uuid4

import httpx
import pytest

from tests.live.viewer import HAUTS, Viewer
from tests.scale.service import CHOICE, Fleet, Person
from tests.waiting import until
from tests.world import PASSWORD
from web.live.frames import CloseCode
from web.sign_in import FREE_FAILURES

pytestmark = pytest.mark.prove

CLOSED_WITHIN_S = 2.0  # a socket, after its session ended anywhere
FORGOTTEN_WITHIN_S = 1.5  # a session, by the processes that did not end it: 1 s, and a question
ROUNDS = 5
TRIES = 12


@asynccontextmanager
async def people(fleet: Fleet, world, *names: str):
    """Each signs in at another process."""
    found = [
        await Person(fleet.urls[number % len(fleet.urls)], world, name).signs_in()
        for number, name in enumerate(names)
    ]
    try:
        yield found
    finally:
        for person in found:
            await person.aclose()


@asynccontextmanager
async def screens(fleet: Fleet, person: Person, *urls: str):
    """Live views of one session, each at its own process."""
    viewers = [Viewer(url, person.world, person.name) for url in urls]
    try:
        for viewer in viewers:
            viewer.http.cookies = person.cookies
        yield viewers
    finally:
        for viewer in viewers:
            await viewer.leaves()


async def everywhere(fleet: Fleet, person: Person, path: str) -> list[int]:
    """The status at each process."""
    return [(await person.get(f"{url}{path}")).status_code for url in fleet.urls]


async def test_a_session_is_good_everywhere_and_ends_everywhere(three_webs, world):
    async with people(three_webs, world, "rolf") as (rolf,):
        assert await everywhere(three_webs, rolf, "/api/v1/slots") == [200, 200, 200]
        async with screens(three_webs, rolf, *three_webs.urls[1:]) as viewers:
            for viewer in viewers:
                await viewer.follows()
            cookies = httpx.Cookies(rolf.cookies)

            assert (await rolf.delete("/api/v1/session")).is_success

            codes = [await viewer.is_closed_with(CLOSED_WITHIN_S) for viewer in viewers]
            assert codes == [CloseCode.NOT_SIGNED_IN.number] * 2
        rolf.cookies = cookies

        async def is_over():
            return await everywhere(three_webs, rolf, "/api/v1/slots") == [401, 401, 401]

        await until(is_over, FORGOTTEN_WITHIN_S)


async def test_one_key_at_all_processes_at_once_has_one_effect_and_one_answer(
    three_webs, world, owner
):
    async with people(three_webs, world, "ann", "rolf") as (ann, rolf):

        async def at_all(path: str, body: dict) -> dict:
            """The same command, with the same key, everywhere at once."""
            key = str(uuid4())
            answers = await asyncio.gather(
                *(rolf.command("POST", f"{url}{path}", body, key=key) for url in three_webs.urls)
            )
            assert [answer.status_code for answer in answers] == [201, 201, 201]
            first, *others = [answer.json() for answer in answers]
            assert others == [first, first]
            return first

        for number in range(ROUNDS):
            slot = await ann.offers(hours=2 + number)
            held = await at_all(f"/api/v1/slots/{slot['id']}/holds", {})
            appointment = await at_all(f"/api/v1/holds/{held['id']}/confirm", CHOICE)
            assert appointment["slot_id"] == slot["id"]

    assert await owner.fetchval("SELECT count(*) FROM appointment") == ROUNDS


async def test_a_screen_resumes_at_another_process_where_its_own_was_killed(three_webs, world):
    async with (
        people(three_webs, world, "ann", "rolf") as (ann, rolf),
        screens(three_webs, rolf, *three_webs.urls[:2]) as (here, there),
    ):
        (snapshot,) = await here.follows()
        seen = [await ann.offers(hours=hours) for hours in (2, 3)]
        events = [await here.next() for _ in seen]
        three_webs.webs[0].kill()
        ann.base_url = three_webs.urls[1]
        missed = [await ann.offers(hours=hours) for hours in (4, 5, 6)]
        await there.opens()
        assert (await there.next())["t"] == "hello"
        await there.subscribes(HAUTS, after={HAUTS: events[-1]["at"]})
        events += [await there.next() for _ in missed]

    assert [event["t"] for event in events] == ["event"] * len(events)
    assert [event["prev"] for event in events] == [snapshot["at"], *(e["at"] for e in events[:-1])]
    assert [event["slot"]["id"] for event in events] == [slot["id"] for slot in (*seen, *missed)]


async def test_seats_are_given_once_whoever_asks_where_and_a_process_dies(three_webs, world, owner):
    """Everything through the one address, while one of the three is killed."""
    names = ("ann", "rolf", "rosa", "emma")
    async with people(three_webs, world, *names) as (ann, *referrers):
        slot = await ann.offers(capacity=15, minutes=180)
        for person in referrers:
            person.base_url = three_webs.url

        async def takes_five(person: Person) -> None:
            for number in range(5):
                if person is referrers[0] and number == 2:
                    three_webs.webs[0].kill()
                await books(person, slot)

        await asyncio.gather(*map(takes_five, referrers))

    seats = [row["seat"] for row in await owner.fetch("SELECT seat FROM appointment ORDER BY seat")]
    assert seats == list(range(1, 16))


async def books(person: Person, slot: dict) -> None:
    """Hold and confirm; where the process that was asked dies, the same key is sent again."""
    key = str(uuid4())
    held = await until(lambda: says(person, f"/api/v1/slots/{slot['id']}/holds", {}, key))
    assert await until(lambda: says(person, f"/api/v1/holds/{held['id']}/confirm", CHOICE, key))


async def says(person: Person, path: str, body: dict, key: str) -> dict | None:
    """An answer of success; None where its process died."""
    try:
        answer = await person.command("POST", path, body, key=key)
    except httpx.TransportError:
        return None
    assert answer.status_code == 201, answer.text
    return answer.json()


async def test_wrong_passwords_count_together_wherever_they_are_tried(three_webs, world):
    async def tries(number: int) -> int:
        url = three_webs.urls[number % 3]
        body = {"email": world.email("ann"), "password": f"{PASSWORD} {number}"}
        async with httpx.AsyncClient(trust_env=False, timeout=20) as client:
            return (await client.post(f"{url}/api/v1/session", json=body)).status_code

    # After the first, two are free: three processes that look at once must not let pass three.
    codes = [await tries(0)]
    codes += await asyncio.gather(*map(tries, range(1, TRIES)))

    assert (codes.count(401), codes.count(429)) == (FREE_FAILURES, TRIES - FREE_FAILURES)
