"""PostgreSQL: can we reach it, does it keep what it says, do the walls hold, is work left over?"""

from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import asyncpg

from slots import queries
from slots.database import UNAVAILABLE, Connection, TooMuchRight, refuse_too_much_right
from slots.migration import APP_ROLE, MigrationFault, missing
from slots.settings import Settings
from workers.doctor.finding import Finding, skew

ABOUT: Final = "PostgreSQL"
VERSION_MIN: Final = 150_000  # UNIQUE NULLS NOT DISTINCT
CONNECT_TIMEOUT_S: Final = 5.0
SKEW_MAX: Final = timedelta(seconds=2)
CHANGE_AGE_MAX: Final = timedelta(seconds=30)
MAIL_AGE_MAX: Final = timedelta(minutes=10)


async def examine(settings: Settings) -> AsyncIterator[Finding]:
    """Everything about PostgreSQL, as the application's role."""
    if not settings.database_url:
        yield Finding(
            ABOUT,
            "DATABASE_URL is missing, and nothing embedded was started here",
            "set DATABASE_URL, or run `make run` once with this DATA_DIR",
        )
        return
    try:
        conn = await asyncpg.connect(settings.database_url, timeout=CONNECT_TIMEOUT_S)
    except (*UNAVAILABLE, asyncpg.PostgresError, ValueError) as error:
        yield Finding(ABOUT, f"cannot be reached: {_said(error)}", _remedy(error))
        return
    try:
        async for finding in _server(conn):
            yield finding
        if not await queries.load("doctor.sql")["has_schema"].value(conn):
            yield Finding("schema", "is not there", "run `chrono48 migrate`")
            return
        yield await _migrations(settings)
        yield await _rights(conn)
        async for finding in _work(conn):
            yield finding
    except (*UNAVAILABLE, asyncpg.PostgresError) as error:
        yield Finding(ABOUT, f"stopped answering: {_said(error)}", "look at its log")
    finally:
        await conn.close(timeout=CONNECT_TIMEOUT_S)


async def _server(conn: Connection) -> AsyncIterator[Finding]:
    before = datetime.now(UTC)
    row = await queries.load("doctor.sql")["server"].one(conn)
    assert row is not None
    if row["version"] < VERSION_MIN:
        yield Finding(ABOUT, f"is version {row['version_text']}", "use PostgreSQL 15 or later")
    else:
        yield Finding(ABOUT, f"version {row['version_text']} answers")
    yield _durability(dict(row))
    yield skew("PG clock", row["now"] - before, SKEW_MAX)


def _durability(row: Mapping[str, Any]) -> Finding:
    faults = [name for name in ("fsync", "synchronous_commit") if row[name] == "off"]
    if faults:
        return Finding(
            "durability",
            f"{' and '.join(faults)} off: a confirmed appointment may be lost",
            f"switch {' and '.join(faults)} on in postgresql.conf",
        )
    if not row["synchronous_standby_names"]:
        return Finding("durability", "a commit is on the disk before its answer")
    if row["synchronous_commit"] == "local":
        return Finding(
            "durability",
            "there is a synchronous standby, and synchronous_commit is local: what was confirmed "
            "may be lost with the primary",
            "set synchronous_commit to on",
        )
    return Finding("durability", "a commit is on the disk and on the standby before its answer")


async def _migrations(settings: Settings) -> Finding:
    if not settings.owner_database_url:
        return Finding("schema", "is there (its version: set OWNER_DATABASE_URL to compare)")
    try:
        names = await missing(settings.owner_database_url)
    except MigrationFault as fault:
        return Finding("schema", str(fault), "run the version of 48H Chrono that made it, or newer")
    except (*UNAVAILABLE, asyncpg.PostgresError, ValueError) as error:
        return Finding(
            "schema", f"the owner cannot sign in: {_said(error)}", "correct OWNER_DATABASE_URL"
        )
    if names:
        return Finding("schema", f"lacks {', '.join(names)}", "run `chrono48 migrate`")
    return Finding("schema", "is that of this version")


async def _rights(conn: Connection) -> Finding:
    try:
        await refuse_too_much_right(conn)
    except TooMuchRight as fault:
        return Finding("rights", str(fault), f"let DATABASE_URL name the role {APP_ROLE}")
    return Finding("rights", "the application's role owns nothing: the walls hold")


async def _work(conn: Connection) -> AsyncIterator[Finding]:
    sql = queries.load("doctor.sql")
    ids = await sql["territory_ids"].value(conn)
    if not ids:
        yield Finding(
            "territories",
            "there are none",
            "run `chrono48 territory add`, or `chrono48 demo load` to look around",
        )
        return
    yield Finding("territories", f"{len(ids)}")
    async with conn.transaction():
        await sql["enter_all"].none(conn, territories=ids)
        row = await sql["backlog"].one(conn, now=datetime.now(UTC))
    assert row is not None
    if row["changes"] and row["oldest_change"] > CHANGE_AGE_MAX:
        yield Finding(
            "outbox",
            f"{row['changes']} changes wait, the oldest for {_age(row['oldest_change'])}",
            "start the worker: `python -m workers`; if it runs, read its log",
        )
    else:
        yield Finding("outbox", f"{row['changes']} changes wait")
    if row["mails"] and row["oldest_mail"] > MAIL_AGE_MAX:
        yield Finding(
            "mails",
            f"{row['mails']} wait, the oldest for {_age(row['oldest_mail'])}, "
            f"after {row['attempts']} tries",
            "look at SMTP below, and at the worker's log",
        )
    else:
        yield Finding("mails", f"{row['mails']} wait")


def _said(error: BaseException) -> str:
    return str(error) or type(error).__name__


def _remedy(error: BaseException) -> str:
    match error:
        case asyncpg.InvalidPasswordError() | asyncpg.InvalidAuthorizationSpecificationError():
            return "correct the password in DATABASE_URL; `chrono48 migrate` makes the role"
        case asyncpg.InvalidCatalogNameError():
            return "create this database, then run `chrono48 migrate`"
        case ValueError():
            return "write DATABASE_URL like postgresql://role:password@host:5432/database"
        case _:
            return "start PostgreSQL (`make run` starts ours); else check host and port in DATABASE_URL"


def _age(span: timedelta) -> str:
    minutes, seconds = divmod(int(span.total_seconds()), 60)
    return f"{minutes} min" if minutes else f"{seconds} s"
