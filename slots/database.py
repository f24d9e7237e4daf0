"""The pool of connections to PostgreSQL: codecs, timeouts, and the check of the role's rights."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import asyncpg
import msgspec

from slots import queries
from slots.addresses import Primary
from slots.settings import Settings

if TYPE_CHECKING:
    from asyncpg import Record
    from asyncpg.pool import PoolConnectionProxy

    Connection: TypeAlias = asyncpg.Connection[Record] | PoolConnectionProxy[Record]
    Pool: TypeAlias = asyncpg.Pool[Record]
else:
    Connection: TypeAlias = Any
    Pool: TypeAlias = Any

POOL_SIZE_MAX: Final = 10  # connections of one process

# A frozen server must be a clear 503 within 5 s. The server stops what is slow by itself; the
# client gives up on a server that does not answer at all, and `borrow` does so by cutting the
# connection. The driver has no time-out of its own: it would cancel what it gives up, and a commit
# whose wait for the standby is cancelled is there for all to see, and gone with the primary.
LOCK_TIMEOUT_MS: Final = 2_000
STATEMENT_TIMEOUT_MS: Final = 2_500
IDLE_IN_TRANSACTION_TIMEOUT_MS: Final = 10_000
CONNECT_TIMEOUT_S: Final = 2.0  # to whichever of the addresses may write
ACQUIRE_TIMEOUT_S: Final = 2.0  # waiting for a free connection of the pool, or a new one
RELEASE_TIMEOUT_S: Final = 0.5  # cleaning a connection for the next borrower
BORROW_FOR_S: Final = 4.0  # a whole borrowing: waiting, commands, commit or rollback

# JSONB travels as this version byte and then its text.
JSONB_VERSION: Final = b"\x01"

# What a server that is down, starting, stopping or frozen looks like: 503, and try again.
UNAVAILABLE: Final = (
    OSError,  # TimeoutError is one
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # the server said goodbye, and the connection is not yet closed
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,  # shutting down, starting, statement_timeout
    asyncpg.InsufficientResourcesError,  # too many connections, disk full
    asyncpg.LockNotAvailableError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.TargetServerAttributeNotMatched,  # only a standby answers
    asyncpg.ReadOnlySQLTransactionError,
)


class TooMuchRight(Exception):
    """The application's role may do what only an owner should. The message says what."""


async def create_pool(settings: Settings) -> Pool:
    """A pool as the application's role. PostgreSQL need not be up yet.

    Use it through `borrow`, which bounds what a frozen server can cost.
    """
    connect: Any = Primary(settings.database_url).connect
    pool = asyncpg.create_pool(
        connect=connect,
        min_size=0,
        max_size=POOL_SIZE_MAX,
        init=set_codecs,
        reset=_leave_as_it_is,
        timeout=CONNECT_TIMEOUT_S,
        server_settings={
            "application_name": "chrono48",
            "timezone": "UTC",
            # Every query is prepared, and small: planning it anew costs more than running it.
            "plan_cache_mode": "force_generic_plan",
            "jit": "off",
            "lock_timeout": str(LOCK_TIMEOUT_MS),
            "statement_timeout": str(STATEMENT_TIMEOUT_MS),
            "idle_in_transaction_session_timeout": str(IDLE_IN_TRANSACTION_TIMEOUT_MS),
        },
    )
    return await pool


async def _leave_as_it_is(conn: Connection) -> None:
    """What follows the rollback of whatever was open: no `RESET ALL`, one round trip less each time.

    Nothing that we run outlives its transaction: settings are local, locks are the transaction's,
    nobody listens (`tests/running/test_database.py` looks at every statement).
    """


@contextlib.asynccontextmanager
async def borrow(pool: Pool, *, within_s: float = BORROW_FOR_S) -> AsyncIterator[Connection]:
    """A connection for at most *within_s* seconds, the wait for it included.

    Raises:
        TimeoutError: No connection came, or the time ran out: the connection is cut, and whether
            a commit on its way was made is unknown.
    """
    loop = asyncio.get_running_loop()
    ends_at = loop.time() + within_s
    conn = await pool.acquire(timeout=min(ACQUIRE_TIMEOUT_S, within_s))
    # Cutting the connection, and not cancelling the task: after a cancel the driver still
    # waits for the server's word, and a frozen server has none.
    timer = loop.call_at(ends_at, conn.terminate)
    try:
        yield conn
    except TimeoutError:
        conn.terminate()
        raise
    except UNAVAILABLE as error:
        if loop.time() < ends_at:
            raise
        raise TimeoutError(f"PostgreSQL did not answer within {within_s} s") from error
    finally:
        timer.cancel()
        # What was to be done is done, or has failed with a better error: a connection that
        # cannot be cleaned is thrown away, and that is all.
        with contextlib.suppress(*UNAVAILABLE):
            await pool.release(conn, timeout=RELEASE_TIMEOUT_S)


async def set_codecs(conn: Connection) -> None:
    """JSON columns are Python values on this connection."""
    await conn.set_type_codec(
        "jsonb",
        schema="pg_catalog",
        encoder=lambda value: JSONB_VERSION + msgspec.json.encode(value),
        decoder=lambda data: msgspec.json.decode(memoryview(data)[1:]),
        format="binary",
    )
    await conn.set_type_codec(
        "json",
        schema="pg_catalog",
        encoder=msgspec.json.encode,
        decoder=msgspec.json.decode,
        format="binary",
    )


async def refuse_too_much_right(conn: Connection) -> None:
    """Make sure that row level security binds this role.

    Raises:
        TooMuchRight: The role is a superuser, bypasses row level security, or owns a table.
    """
    rights = await queries.load("installation.sql")["role_rights"].one(conn)
    assert rights is not None
    faults = [
        fault
        for fault, is_so in (
            ("is a superuser", rights["is_superuser"]),
            ("bypasses row level security", rights["bypasses_row_security"]),
            (f"owns {', '.join(rights['owned_tables'][:3])}", rights["owned_tables"]),
        )
        if is_so
    ]
    if faults:
        raise TooMuchRight(
            f"the role {rights['role_name']} of DATABASE_URL {' and '.join(faults)}: the walls "
            "between territories would not hold. Use a role that owns nothing."
        )
