"""The use cases and the workers' duties that the walk goes through, each with its moment."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from slots.ids import AccountId, HoldId
from slots.reconcile.rebuild import LEASE
from slots.slot import HOLD_FOR, SEAL_FOR
from tests.crash.process import Deed, Duty, Request
from tests.crash.scene import Scene

A_MOMENT = timedelta(seconds=1)
SEAL_IS_OLD = SEAL_FOR + A_MOMENT
SOON_H = 5 / 60  # hours: near enough to say whether a patient came


@dataclass(frozen=True)
class Moment:
    """What is about to be done, in a scene that is ready for it.

    later: when the workers come by, after a death. given_up: what leaves the world as a worker
    does that revokes the hold of a dead confirmer. heard: false where the broker starts behind
    the ledger: then it is open which news is told first.
    """

    deed: Deed
    later: timedelta = SEAL_IS_OLD
    given_up: Request | None = None
    heard: bool = True


Case = Callable[[Scene], Awaitable[Moment]]


async def offer(scene: Scene) -> Moment:
    return Moment(scene.offer("ann"))


async def amend(scene: Scene) -> Moment:
    slot = await scene.slot()
    return Moment(scene.request("ann", "PATCH", f"/slots/{slot}", {"capacity": 3}))


async def withdraw(scene: Scene) -> Moment:
    """With a patient who is expected, and must be told, and a second seat held."""
    slot = await scene.slot(capacity=2)
    await scene.booked(slot)
    await scene.held(slot, "rosa")
    return Moment(scene.request("ann", "DELETE", f"/slots/{slot}?cancel_booked=true"))


async def hold(scene: Scene) -> Moment:
    slot = await scene.slot()
    return Moment(scene.request("rolf", "POST", f"/slots/{slot}/holds"))


async def renew(scene: Scene) -> Moment:
    held = await scene.held(await scene.slot())
    return Moment(scene.request("rolf", "POST", f"/holds/{held}/renew"))


async def release(scene: Scene) -> Moment:
    held = await scene.held(await scene.slot())
    return Moment(scene.request("rolf", "DELETE", f"/holds/{held}"))


async def confirm(scene: Scene) -> Moment:
    held = await scene.held(await scene.slot())
    given_up = scene.request("rolf", "DELETE", f"/holds/{held}")
    return Moment(scene.confirm(held), given_up=given_up)


async def confirm_under_lock(scene: Scene) -> Moment:
    """The slot has a second seat, and the broker has not heard of it: decided the long way."""
    slot = await scene.slot()
    held = await scene.held(slot)
    async with scene.unheard():
        await scene.does(scene.request("ann", "PATCH", f"/slots/{slot}", {"capacity": 2}))
    given_up = scene.request("rolf", "DELETE", f"/holds/{held}")
    return Moment(scene.confirm(held), given_up=given_up, heard=False)


async def confirm_refused(scene: Scene) -> Moment:
    """The slot was withdrawn, and the broker has not heard of it: sealed, refused, given up."""
    slot = await scene.slot()
    held = await scene.held(slot)
    async with scene.unheard():
        await scene.does(scene.request("ann", "DELETE", f"/slots/{slot}"))
    return Moment(scene.confirm(held), heard=False)


async def cancel(scene: Scene) -> Moment:
    """By the professional: somebody must be told."""
    booked = await scene.booked(await scene.slot())
    return Moment(scene.request("ann", "POST", f"/appointments/{booked}/cancel"))


async def move(scene: Scene) -> Moment:
    booked = await scene.booked(await scene.slot())
    held = await scene.held(await scene.slot("bob", hours=3))
    body = {"hold_id": held}
    given_up = scene.request("rolf", "DELETE", f"/holds/{held}")
    deed = scene.request("rolf", "POST", f"/appointments/{booked}/move", body)
    return Moment(deed, given_up=given_up)


async def overflow(scene: Scene) -> Moment:
    starts_at = scene.offer("bob").body["slots"][0]["starts_at"]
    body = {"reason": "pain", "urgency": "within-24h", "starts_at": starts_at}
    path = f"/schedules/{scene.world.schedules['bob']}/overflow"
    return Moment(scene.request("rolf", "POST", path, body))


async def seen(scene: Scene) -> Moment:
    booked = await scene.booked(await scene.slot())
    return Moment(scene.request("ann", "POST", f"/appointments/{booked}/seen"))


async def fulfil(scene: Scene) -> Moment:
    booked = await scene.booked(await scene.slot(hours=SOON_H))
    return Moment(scene.request("ann", "POST", f"/appointments/{booked}/fulfil"))


async def noshow(scene: Scene) -> Moment:
    booked = await scene.booked(await scene.slot(hours=SOON_H))
    return Moment(scene.request("ann", "POST", f"/appointments/{booked}/noshow"))


async def patient_told(scene: Scene) -> Moment:
    booked = await scene.booked(await scene.slot())
    await scene.does(scene.request("ann", "POST", f"/appointments/{booked}/cancel"))
    return Moment(scene.request("rolf", "POST", f"/appointments/{booked}/patient-told"))


async def sweep(scene: Scene) -> Moment:
    """A hold has run out."""
    await scene.held(await scene.slot())
    overdue = HOLD_FOR + A_MOMENT
    return Moment(Duty("sweep", overdue), overdue)


async def relay(scene: Scene) -> Moment:
    """A request died after its commit; another brought its own news."""
    slot = await scene.slot()
    async with scene.unheard():
        await scene.does(scene.request("ann", "DELETE", f"/slots/{slot}"))
    await scene.slot("bob")
    return Moment(Duty("relay", SEAL_IS_OLD))


async def revoke(scene: Scene) -> Moment:
    """A confirmer died before its commit."""
    await _sealed(scene, await scene.held(await scene.slot()))
    return Moment(Duty("revoke", SEAL_IS_OLD))


async def revoke_committed(scene: Scene) -> Moment:
    """A confirmer died after its commit."""
    held = await scene.held(await scene.slot())
    await _sealed(scene, held)
    async with scene.unheard():
        await scene.does(scene.confirm(held))
    return Moment(Duty("revoke", SEAL_IS_OLD))


async def mend(scene: Scene) -> Moment:
    """Redis has lost a write, as at a failover, and nothing waits in the outbox."""
    slot = await scene.slot()
    async with scene.unheard():
        await scene.does(scene.request("ann", "DELETE", f"/slots/{slot}"))
    await scene.owner.execute("DELETE FROM outbox")
    return Moment(Duty("mend"), LEASE + A_MOMENT)


async def mend_went_back(scene: Scene) -> Moment:
    """PostgreSQL was restored to before an offer that the broker knows."""
    await scene.booked(await scene.slot())
    lost = await scene.slot("bob")
    for table, column in (("outbox", "slot_id"), ("slot", "id")):
        await scene.owner.execute(f"DELETE FROM {table} WHERE {column} = $1", UUID(lost))
    return Moment(Duty("mend"), LEASE + A_MOMENT)


async def rebuild(scene: Scene) -> Moment:
    """Redis is empty."""
    await scene.booked(await scene.slot())
    await scene.slot("bob")
    await scene.ground.redis.flushall()
    return Moment(Duty("rebuild"), LEASE + A_MOMENT)


async def mails(scene: Scene) -> Moment:
    booked = await scene.booked(await scene.slot())
    await scene.does(scene.request("ann", "POST", f"/appointments/{booked}/cancel"))
    return Moment(Duty("mails"))


async def _sealed(scene: Scene, held: str) -> None:
    rolf = AccountId(scene.world.accounts["rolf"].id)
    broker, territory = scene.process.desk.broker, scene.process.territory
    await broker.seal(territory, rolf, HoldId(UUID(held)))
