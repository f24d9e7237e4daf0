"""Transactions of the application: who acts, behind which walls, and what a lost answer means."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from typing import Final, TypeVar

import asyncpg

from slots import queries
from slots.database import UNAVAILABLE, Connection, Pool, borrow
from slots.errors import LedgerUnavailable, OutcomeUnknown
from slots.ids import AccountId, TerritoryId

Result = TypeVar("Result")

TRIES_MAX: Final = 4  # of a transaction that lost to another one
ENTER: Final = queries.load("transaction.sql")["enter"]


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
async def entered(
    pool: Pool, account_id: AccountId | None, territories: Iterable[TerritoryId]
) -> AsyncIterator[Connection]:
    """A transaction of one account within these territories. Commits at the end of the block.

    Raises:
        LedgerUnavailable: The database is down or frozen, and nothing was committed.
        OutcomeUnknown: The commit's answer was lost: it may have been made. Ask again with the
            same key; never treat it as failed.
    """
    is_committing = False
    try:
        async with borrow(pool) as conn:
            transaction = conn.transaction()
            await transaction.start()
            try:
                await ENTER.none(conn, account_id=account_id, territories=list(territories))
                yield conn
            except BaseException:
                # The error that brought us here says more than a failing rollback could.
                with suppress(*UNAVAILABLE):
                    await transaction.rollback()
                raise
            is_committing = True
            await transaction.commit()
            is_committing = False
    except UNAVAILABLE as error:
        if is_committing:
            raise OutcomeUnknown from error
        raise LedgerUnavailable from error


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
