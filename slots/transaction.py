"""Transactions of the application: who acts, behind which walls, and what a lost answer means."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from typing import Final, TypeVar
from uuid import UUID

import asyncpg

from slots.database import BORROW_FOR_S, UNAVAILABLE, Connection, Pool, borrow
from slots.errors import LedgerUnavailable, OutcomeUnknown
from slots.ids import AccountId, TerritoryId

Result = TypeVar("Result")

TRIES_MAX: Final = 4  # of a transaction that lost to another one


class TryAgain(Exception):
    """This attempt collided by chance, and another will not."""


RETRIED: Final = (
    asyncpg.SerializationError,
    asyncpg.DeadlockDetectedError,
    TryAgain,
)


@asynccontextmanager
async def looking(pool: Pool) -> AsyncIterator[Connection]:
    """A connection for one statement that needs no walls: the narrow doors of the schema.

    Raises:
        LedgerUnavailable: The database is down or frozen.
    """
    try:
        async with borrow(pool) as conn:
            yield conn
    except UNAVAILABLE as error:
        raise LedgerUnavailable from error


@asynccontextmanager
async def deciding(pool: Pool) -> AsyncIterator[Connection]:
    """A connection for one statement that enters, writes and commits by itself.

    Raises:
        LedgerUnavailable: The database is down or frozen, and nothing was sent.
        OutcomeUnknown: The statement's answer was lost: it may have been committed.
    """
    is_sent = False
    try:
        async with borrow(pool) as conn:
            is_sent = True
            yield conn
    except UNAVAILABLE as error:
        if is_sent:
            raise OutcomeUnknown from error
        raise LedgerUnavailable from error


@asynccontextmanager
async def entered(
    pool: Pool,
    account_id: AccountId | None,
    territories: Iterable[TerritoryId],
    *,
    within_s: float = BORROW_FOR_S,
) -> AsyncIterator[Connection]:
    """A transaction of one account within these territories. Commits at the end of the block.

    All of it takes at most *within_s*.

    Raises:
        LedgerUnavailable: The database is down or frozen, and nothing was committed.
        OutcomeUnknown: The commit's answer was lost: it may have been made. Ask again with the
            same key; never treat it as failed.
    """
    is_committing = False
    try:
        async with borrow(pool, within_s=within_s) as conn:
            try:
                await conn.execute(_begin(account_id, territories))
                yield conn
            except BaseException:
                # The error that brought us here says more than a failing rollback could.
                with suppress(*UNAVAILABLE):
                    await conn.execute("ROLLBACK")
                raise
            is_committing = True
            answer = await conn.execute("COMMIT")
            is_committing = False
            # A transaction in which a statement failed would answer ROLLBACK here.
            assert answer == "COMMIT", answer
    except UNAVAILABLE as error:
        if is_committing:
            raise OutcomeUnknown from error
        raise LedgerUnavailable from error


def _begin(account_id: AccountId | None, territories: Iterable[TerritoryId]) -> str:
    """BEGIN and what `entered_account` and `entered_territories` of the schema read, in one round
    trip; only a UUID and numbers are written in.
    """
    account = str(UUID(int=account_id.int)) if account_id else ""
    numbers = ",".join(str(int(territory_id)) for territory_id in territories)
    return f"BEGIN; SET LOCAL app.account='{account}'; SET LOCAL app.territories='{{{numbers}}}'"


async def retried(attempt: Callable[[], Awaitable[Result]]) -> Result:
    """Run *attempt* again where PostgreSQL chose it as the victim of a conflict.

    Raises:
        LedgerUnavailable: It lost TRIES_MAX times.
    """
    for _ in range(TRIES_MAX):
        try:
            return await attempt()
        except RETRIED as error:
            lost = error
    raise LedgerUnavailable from lost
