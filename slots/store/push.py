"""Browsers that want to be told, quiet hours, and what each browser is to be told."""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final
from uuid import UUID

from slots import queries
from slots.appointment import AppointmentStatus
from slots.database import Connection
from slots.ids import AccountId
from slots.push import Push, Subscription, Tells
from slots.quiet_hours import QuietHours

if TYPE_CHECKING:
    from asyncpg import Record

QUERIES: Final = queries.load("push.sql")


@dataclass(frozen=True, slots=True)
class OwnSubscription:
    """One browser of the account that asks."""

    id: UUID
    endpoint: str
    created_at: datetime


async def own_subscriptions(conn: Connection) -> list[OwnSubscription]:
    """The browsers of the account that entered, the newest first."""
    rows = await QUERIES["own_push_subscriptions"].many(conn)
    return [OwnSubscription(**dict(row)) for row in rows]


async def subscribe(
    conn: Connection, new_id: UUID, subscription: Subscription, at: datetime, at_most: int
) -> None:
    """Tell this browser from now on, for the account that entered. Safe to repeat.

    It is nobody else's any more; of the account's browsers the *at_most* newest stay.
    """
    await QUERIES["subscribe_to_push"].none(
        conn,
        id=new_id,
        endpoint=subscription.endpoint,
        p256dh=subscription.p256dh,
        auth=subscription.auth,
        at=at,
        at_most=at_most,
    )


async def unsubscribe(conn: Connection, subscription_id: UUID) -> None:
    """Tell one of the account's own browsers no more. Safe to repeat."""
    await QUERIES["unsubscribe_from_push"].none(conn, id=subscription_id)


async def end_subscription(conn: Connection, endpoint: str) -> None:
    """The push service says that this browser is gone."""
    await QUERIES["end_push_subscription"].none(conn, endpoint=endpoint)


async def own_quiet_hours(conn: Connection) -> QuietHours | None:
    """The quiet hours of the account that entered."""
    row = await QUERIES["own_quiet_hours"].one(conn)
    return QuietHours(**dict(row)) if row else None


async def set_quiet_hours(
    conn: Connection, account_id: AccountId, hours: QuietHours | None, now: datetime
) -> None:
    """Choose them, or none; what waits for the end of others is looked at again."""
    if hours is None:
        await QUERIES["unset_quiet_hours"].none(conn, account_id=account_id)
    else:
        await QUERIES["set_quiet_hours"].none(
            conn,
            account_id=account_id,
            from_minute=hours.from_minute,
            to_minute=hours.to_minute,
        )
    await QUERIES["wake_own_pushes"].none(conn, now=now)


async def write_pushes(
    conn: Connection, now: datetime, *, remind_until: datetime, booked_until: datetime
) -> None:
    """Write down what there is to tell, each thing once.

    Reminders: of unseen appointments that start by *remind_until* and were booked by *booked_until*.
    """
    await QUERIES["write_pushes"].none(
        conn, now=now, remind_until=remind_until, booked_until=booked_until
    )


async def pushes_to_send(conn: Connection, now: datetime, limit: int) -> list[Push]:
    """Pushes whose time has come, locked until the end of the transaction."""
    rows = await QUERIES["pushes_to_send"].many(conn, now=now, limit_rows=limit)
    return [_push(row) for row in rows]


async def push_try_later(
    conn: Connection, push_id: UUID, next_try_at: datetime, attempts: int
) -> None:
    """Not now; *attempts*: how often it was tried by then."""
    await QUERIES["push_try_later"].none(
        conn, id=push_id, next_try_at=next_try_at, attempts=attempts
    )


async def push_was_sent(conn: Connection, push_id: UUID, at: datetime) -> None:
    """The push service has it: never again."""
    await QUERIES["push_was_sent"].none(conn, id=push_id, at=at)


async def push_was_dropped(conn: Connection, push_id: UUID, at: datetime) -> None:
    """Nobody is told."""
    await QUERIES["push_was_dropped"].none(conn, id=push_id, at=at)


async def forget_old_pushes(conn: Connection, before: datetime) -> int:
    """Forget what was told of appointments that started before. Returns how many rows went."""
    return int(await QUERIES["forget_old_pushes"].value(conn, before=before))


def _push(row: "Record") -> Push:
    is_there = row["endpoint"] is not None
    has_quiet_hours = row["quiet_from_minute"] is not None
    return Push(
        id=row["id"],
        tells=Tells(row["tells"]),
        attempts=row["attempts"],
        appointment_id=row["appointment_id"],
        reference=row["reference"],
        starts_at=row["starts_at"],
        status=AppointmentStatus(row["status"]),
        is_seen=row["is_seen"],
        is_known=bool(row["is_known"]),
        subscription=Subscription(row["endpoint"], row["p256dh"], row["auth"])
        if is_there
        else None,
        quiet_hours=QuietHours(row["quiet_from_minute"], row["quiet_to_minute"])
        if has_quiet_hours
        else None,
    )
