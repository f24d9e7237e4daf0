"""Phones are told what becomes of their owners' slots, by a push service that speaks real HTTP."""

import asyncio
import logging
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from types import SimpleNamespace

import asyncpg
import pytest

from slots.booking import appointments
from slots.french import hour
from slots.push import ATTEMPTS_MAX, REMIND_AFTER, REMIND_AHEAD, SUBSCRIPTIONS_MAX
from slots.quiet_hours import QuietHours
from slots.reconcile.forget import PUSHES_FOR, forget
from slots.store.push import own_subscriptions, pushes_to_send, set_quiet_hours
from slots.times import PARIS
from slots.transaction import entered
from slots.vapid import public_key
from tests.booking.conftest import a_key
from tests.push_service import PRIVATE_KEY, Browser, PushService, claims_of
from workers.courier import courier_of
from workers.duties import duties
from workers.mails import FIRST_DELAY
from workers.post import Post
from workers.pushes import send_pushes
from workers.workshop import Workshop

A_MOMENT = timedelta(seconds=5)
MINUTE = timedelta(minutes=1)


@pytest.fixture
async def service():
    async with PushService.listening() as service:
        yield service


@pytest.fixture
async def courier(settings, service):
    wanted = replace(
        settings,
        vapid_private_key=PRIVATE_KEY,
        vapid_contact="mailto:contact@example.test",
        push_services=service.origin,
    )
    courier = courier_of(wanted)
    yield courier
    await courier.close()


@pytest.fixture
async def phone(desk, world, service, now):
    """Ann's."""
    return await Browser(service).subscribes(desk, world.accounts["ann"], now - MINUTE)


@pytest.fixture
def rounds(desk, courier):
    """One round of the worker, at that moment."""

    async def run(at: datetime) -> int:
        return await send_pushes(desk, courier, at)

    return run


async def rests(conn, hours: QuietHours | None, account, now):
    await set_quiet_hours(conn, account.id, hours, now)


@pytest.fixture
def quiet(desk, world, now):
    """Ann's quiet hours, from and to so much later than now."""

    async def choose(begin: timedelta | None, end: timedelta | None = None, at=now):
        ann = world.accounts["ann"]
        hours = None
        if begin is not None:
            on_the_wall = [(now + span).astimezone(PARIS) for span in (begin, end)]
            hours = QuietHours.between(*(time(one.hour, one.minute) for one in on_the_wall))
        async with entered(desk.pool, ann.id, ann.reach) as conn:
            await rests(conn, hours, ann, at)

    return choose


async def test_a_booking_is_told_within_one_round_and_once(rounds, world, offer, book, phone, now):
    slot = await offer()
    booked = await book(world.accounts["rolf"], slot)

    counts = await asyncio.gather(*(rounds(now + A_MOMENT) for _ in range(3)))
    counts.append(await rounds(now + timedelta(minutes=20)))

    assert sum(counts) == 1
    (told,) = phone.told
    assert told["title"] == f"Un rendez-vous à {hour(slot.starts_at)}"
    assert told["body"].endswith(f"référence {booked.reference}")
    assert told["path"] == "/disponibilites"


async def test_a_push_says_nothing_but_a_time_and_a_reference(
    rounds, world, offer, book, phone, service, now
):
    booked = await book(world.accounts["rolf"], await offer())
    await rounds(now + A_MOMENT)

    (told,) = phone.told
    (received,) = service.received
    assert set(told) == {"title", "body", "tag", "path"}
    open_to_the_service = str(received.headers).encode() + received.path.encode() + received.body
    for private in (
        *("Rolf", "Garcia", "Rosiers", "Ann", "Martin", "Bédarieux", "Douleur", "pain", "today"),
        *(booked.booked_by.phone, "médecin", "consultation"),
    ):
        assert private not in str(told)
        assert private.encode() not in open_to_the_service
    assert booked.reference.encode() not in open_to_the_service


async def test_a_push_is_signed_and_lives_no_longer_than_it_is_news(
    rounds, world, offer, book, phone, service, now
):
    await book(world.accounts["rolf"], await offer(after=timedelta(hours=2)))
    await rounds(now)

    (received,) = service.received
    assert claims_of(received)["aud"] == service.origin
    assert claims_of(received)["sub"] == "mailto:contact@example.test"
    assert f"k={public_key(PRIVATE_KEY)}" in received.headers["authorization"]
    assert received.headers["ttl"] == str(2 * 3600)
    assert received.headers["urgency"] == "high"
    assert received.headers["content-encoding"] == "aes128gcm"


async def test_who_acts_for_the_schedule_is_told_and_nobody_else(
    rounds, desk, world, service, offer, book, phone, now
):
    others = {
        name: await Browser(service).subscribes(desk, world.accounts[name], now - MINUTE)
        for name in ("olga", "bob", "nina", "carl", "dora", "rolf")
    }
    await book(world.accounts["rolf"], await offer())

    assert await rounds(now + A_MOMENT) == 2

    assert len(phone.told) == len(others["olga"].told) == 1
    assert all(others[name].told == [] for name in ("bob", "nina", "carl", "dora", "rolf"))


async def test_nobody_is_told_what_they_did_themselves(
    rounds, desk, world, service, offer, book, phone, now
):
    secretary = await Browser(service).subscribes(desk, world.accounts["olga"], now - MINUTE)
    mine = await book(world.accounts["ann"], await offer())
    await rounds(now + A_MOMENT)
    assert (phone.titles, len(secretary.told)) == ([], 1)

    await appointments.cancel(desk, world.accounts["olga"], mine.id, a_key(), now + A_MOMENT)
    await rounds(now + 2 * A_MOMENT)

    assert [title.endswith("annulé") for title in phone.titles] == [True]
    assert len(secretary.told) == 1


async def test_a_cancellation_is_told(rounds, desk, world, offer, book, phone, now):
    slot = await offer()
    booked = await book(world.accounts["rolf"], slot)
    await rounds(now + A_MOMENT)

    await appointments.cancel(desk, world.accounts["rolf"], booked.id, a_key(), now + A_MOMENT)
    await rounds(now + 2 * A_MOMENT)

    assert phone.titles[1:] == [f"Rendez-vous de {hour(slot.starts_at)} annulé"]
    # The phone, and the push service, put the newer word in the place of the older.
    assert phone.told[0]["tag"] == phone.told[1]["tag"]
    first, second = phone.service.received
    assert first.headers["topic"] == second.headers["topic"]


async def test_a_booking_that_came_and_went_untold_needs_no_word(
    rounds, desk, world, offer, book, phone, now
):
    booked = await book(world.accounts["rolf"], await offer())
    await appointments.cancel(desk, world.accounts["rolf"], booked.id, a_key(), now + A_MOMENT)

    assert await rounds(now + 2 * A_MOMENT) == 0
    assert await rounds(now + timedelta(minutes=20)) == 0
    assert phone.told == []


async def test_what_was_before_one_asked_is_not_told_but_its_cancellation_is(
    rounds, desk, world, service, offer, book, now
):
    booked = await book(world.accounts["rolf"], await offer())
    late = await Browser(service).subscribes(desk, world.accounts["ann"], now + A_MOMENT)
    assert await rounds(now + 2 * A_MOMENT) == 0

    at = now + 3 * A_MOMENT
    await appointments.cancel(desk, world.accounts["rolf"], booked.id, a_key(), at)
    await rounds(at)

    assert [title.endswith("annulé") for title in late.titles] == [True]


async def test_a_worker_that_dies_while_sending_leaves_the_push_to_another(
    rounds, desk, courier, world, offer, book, phone, now
):
    await book(world.accounts["rolf"], await offer())

    async def die(*arguments) -> int:
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await send_pushes(desk, SimpleNamespace(carry=die), now + A_MOMENT)
    assert await rounds(now + 2 * A_MOMENT) == 0

    assert await rounds(now + FIRST_DELAY + 2 * A_MOMENT) == 1


async def test_a_service_that_refuses_is_asked_again_later_and_not_for_ever(
    rounds, owner, world, offer, book, phone, service, now
):
    await book(world.accounts["rolf"], await offer(after=timedelta(hours=12)))
    service.status = 503
    at = now
    for _ in range(2 * ATTEMPTS_MAX):
        assert await rounds(at) == 0
        assert await rounds(at + A_MOMENT) == 0  # not at once
        at = max(at + A_MOMENT, await owner.fetchval("SELECT max(next_try_at) FROM push"))

    assert len(service.received) == ATTEMPTS_MAX
    assert await owner.fetchval("SELECT dropped_at IS NOT NULL FROM push")
    assert at - now < timedelta(hours=2)


async def test_a_service_that_was_away_for_a_moment_tells_it_after_all(
    rounds, world, offer, book, phone, service, now
):
    await book(world.accounts["rolf"], await offer())
    service.status = 500
    await rounds(now)
    service.status = 201

    assert await rounds(now + FIRST_DELAY) == 1


async def test_what_another_worker_is_about_to_send_is_left_to_it(
    rounds, desk, world, offer, book, phone, service, now
):
    await book(world.accounts["rolf"], await offer())
    service.status = 500
    await rounds(now)
    service.status = 201
    due = now + FIRST_DELAY

    async with entered(desk.pool, None, desk.territories.by_id) as another:
        assert len(await pushes_to_send(another, due, 10)) == 1
        assert await rounds(due) == 0

    assert await rounds(due) == 1


@pytest.mark.parametrize("status", [404, 410])
async def test_a_browser_that_is_gone_is_forgotten(
    rounds, owner, world, offer, book, phone, service, now, status
):
    await book(world.accounts["rolf"], await offer())
    service.status = status

    assert await rounds(now) == 0

    assert await owner.fetchval("SELECT count(*) FROM push_subscription") == 0
    assert await owner.fetchval("SELECT count(*) FROM push") == 0


async def test_a_redirection_is_not_followed(
    rounds, owner, world, offer, book, phone, service, now
):
    await book(world.accounts["rolf"], await offer())
    async with PushService.listening() as elsewhere:
        service.status, service.more = 307, {"location": f"{elsewhere.origin}/taken"}

        assert await rounds(now) == 0

        assert elsewhere.received == []


async def test_an_address_that_is_no_push_service_any_more_gets_nothing(
    rounds, desk, world, owner, offer, book, now
):
    async with PushService.listening() as stranger:
        phone = await Browser(stranger).subscribes(desk, world.accounts["ann"], now - MINUTE)
        await book(world.accounts["rolf"], await offer())

        assert await rounds(now) == 0

        assert phone.told == []
    assert await owner.fetchval("SELECT count(*) FROM push_subscription") == 0


async def test_one_browser_that_fails_holds_up_no_other(
    rounds, desk, world, offer, book, phone, now
):
    nowhere = PushService(origin="http://127.0.0.1:1")
    await Browser(nowhere).subscribes(desk, world.accounts["olga"], now - MINUTE)
    await book(world.accounts["rolf"], await offer())

    assert await rounds(now) == 1

    assert len(phone.told) == 1


async def test_no_log_line_knows_an_endpoint(
    rounds, desk, world, offer, book, phone, service, now, caplog, capsys
):
    caplog.set_level(logging.DEBUG)
    booked = await book(world.accounts["rolf"], await offer())
    for status in (500, 201, 410):
        service.status = status
        await rounds(now)
        now += timedelta(minutes=5)
    await appointments.cancel(desk, world.accounts["rolf"], booked.id, a_key(), now)
    await rounds(now)

    assert len(service.received) == 3
    said = caplog.text + "".join(capsys.readouterr())
    assert phone.path not in said
    assert phone.subscription.auth not in said
    assert PRIVATE_KEY not in said


async def test_who_may_act_no_more_is_told_no_more(
    rounds, desk, world, owner, service, offer, book, now
):
    secretary = await Browser(service).subscribes(desk, world.accounts["olga"], now - MINUTE)
    await book(world.accounts["rolf"], await offer())
    service.status = 500
    await rounds(now)
    service.status = 201
    await owner.execute("DELETE FROM delegation WHERE account_id = $1", world.accounts["olga"].id)

    assert await rounds(now + FIRST_DELAY) == 0
    assert len(secretary.told) == 1  # what the service has refused


async def test_in_quiet_hours_nothing_is_pushed_and_afterwards_what_is_still_ahead(
    rounds, quiet, world, offer, book, phone, now
):
    await quiet(-MINUTE, timedelta(hours=1))
    soon = await offer(after=timedelta(minutes=30), ends_at=now + timedelta(minutes=45))
    later = await offer(after=timedelta(hours=5))
    await book(world.accounts["rolf"], soon)
    await book(world.accounts["rolf"], later)

    assert await rounds(now) == 0
    assert await rounds(now + timedelta(minutes=50)) == 0
    assert phone.told == []

    assert await rounds(now + timedelta(hours=1)) == 1
    assert phone.titles == [f"Un rendez-vous à {hour(later.starts_at)}"]


async def test_other_quiet_hours_count_at_once(rounds, quiet, world, offer, book, phone, now):
    await quiet(-MINUTE, timedelta(hours=1))
    await book(world.accounts["rolf"], await offer())
    assert await rounds(now) == 0

    await quiet(None, at=now + MINUTE)

    assert await rounds(now + MINUTE) == 1


async def test_quiet_hours_are_of_one_person(rounds, quiet, desk, world, offer, book, phone, now):
    secretary = await Browser(phone.service).subscribes(desk, world.accounts["olga"], now - MINUTE)
    await quiet(-MINUTE, timedelta(hours=1))
    await book(world.accounts["rolf"], await offer())

    await rounds(now)

    assert (len(phone.told), len(secretary.told)) == (0, 1)


async def test_a_booking_that_nobody_has_seen_is_told_again_an_hour_before(
    rounds, world, offer, book, phone, now
):
    slot = await offer(after=timedelta(hours=4))
    await book(world.accounts["rolf"], slot)
    await rounds(now)
    due = slot.starts_at - REMIND_AHEAD

    assert await rounds(due - MINUTE) == 0
    assert await rounds(due) == 1
    assert await rounds(due + MINUTE) == 0

    assert phone.titles[1:] == [f"Pas encore vu\u00a0: un rendez-vous à {hour(slot.starts_at)}"]


async def test_a_booking_that_was_seen_needs_no_reminder(
    rounds, desk, world, offer, book, phone, now
):
    slot = await offer(after=timedelta(hours=4))
    booked = await book(world.accounts["rolf"], slot)
    await rounds(now)
    await appointments.seen(desk, world.accounts["ann"], booked.id, a_key(), now + MINUTE)

    assert await rounds(slot.starts_at - REMIND_AHEAD) == 0


async def test_a_late_booking_is_not_told_twice_at_once(rounds, world, offer, book, phone, now):
    slot = await offer(after=timedelta(minutes=40))
    await book(world.accounts["rolf"], slot)

    assert await rounds(now) == 1
    assert await rounds(now + REMIND_AFTER - MINUTE) == 0
    assert await rounds(now + REMIND_AFTER) == 1


async def test_a_reminder_waits_for_the_end_of_quiet_hours(
    rounds, quiet, world, offer, book, phone, now
):
    slot = await offer(after=timedelta(hours=4))
    await book(world.accounts["rolf"], slot)
    await rounds(now)
    await quiet(timedelta(hours=2, minutes=30), timedelta(hours=3, minutes=30))

    assert await rounds(slot.starts_at - REMIND_AHEAD) == 0
    assert await rounds(now + timedelta(hours=3, minutes=30)) == 1


async def test_a_browser_is_one_persons_and_a_person_has_a_few(desk, world, service, now):
    shared = Browser(service)
    for name in ("ann", "bob"):
        await shared.subscribes(desk, world.accounts[name], now)
    for number in range(SUBSCRIPTIONS_MAX + 2):
        await Browser(service).subscribes(desk, world.accounts["ann"], now + number * MINUTE)

    async def browsers(name: str):
        account = world.accounts[name]
        async with entered(desk.pool, account.id, account.reach) as conn:
            return await own_subscriptions(conn)

    assert [one.endpoint for one in await browsers("bob")] == [shared.subscription.endpoint]
    assert len(await browsers("ann")) == SUBSCRIPTIONS_MAX
    assert min(one.created_at for one in await browsers("ann")) == now + 2 * MINUTE


async def test_subscribing_again_loses_nothing_that_waits(
    rounds, desk, world, offer, book, phone, now
):
    await book(world.accounts["rolf"], await offer())
    await phone.subscribes(desk, world.accounts["ann"], now + MINUTE)

    assert await rounds(now + MINUTE) == 1


async def test_row_level_security_keeps_subscriptions_and_quiet_hours_apart(
    desk, world, phone, quiet, now
):
    await quiet(-MINUTE, timedelta(hours=1))
    bob = world.accounts["bob"]

    async with entered(desk.pool, bob.id, bob.reach) as conn:
        assert await conn.fetchval("SELECT count(*) FROM push_subscription") == 0
        assert await conn.fetchval("SELECT count(*) FROM quiet_hours") == 0
        assert await conn.fetchval("SELECT count(*) FROM push_subscribers()") > 0
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with entered(desk.pool, bob.id, bob.reach) as conn:
            await rests(conn, QuietHours(0, 1), world.accounts["ann"], now)
    carl = world.accounts["carl"]
    async with entered(desk.pool, carl.id, [world.thau]) as conn:
        assert await conn.fetchval("SELECT count(*) FROM push_subscribers()") == 0


async def test_what_was_told_is_forgotten_after_the_appointment(
    rounds, desk, owner, world, offer, book, phone, now
):
    slot = await offer()
    await book(world.accounts["rolf"], slot)
    await rounds(now)

    await forget(desk, slot.starts_at + PUSHES_FOR - MINUTE)
    assert await owner.fetchval("SELECT count(*) FROM push") == 1
    await forget(desk, slot.starts_at + PUSHES_FOR + MINUTE)
    assert await owner.fetchval("SELECT count(*) FROM push") == 0


async def test_without_a_key_no_worker_tells_anything(desk, settings, courier):
    def names(with_courier):
        post = Post("nobody@example.test", None)
        return {loop.name for loop in duties(Workshop(desk, post, None, courier=with_courier))}

    assert courier_of(settings) is None
    assert names(courier) - names(None) == {"pushes"}


async def test_a_worker_tells_it_by_itself(desk, courier, world, offer, book, phone):
    await book(world.accounts["rolf"], await offer())
    workshop = Workshop(desk, Post("nobody@example.test", None), None, courier=courier)
    (loop,) = [loop for loop in duties(workshop) if loop.name == "pushes"]

    assert await loop.do() == 1
    assert len(phone.told) == 1
    assert datetime.now(UTC) < datetime.fromtimestamp(
        claims_of(phone.service.received[0])["exp"], UTC
    )
