"""Guards that a control run takes away, inside the process that dies or in its database."""

import re
from dataclasses import replace
from typing import Any

import asyncpg

from slots import scripts
from slots.booking import appointments
from slots.booking import once as once_module
from slots.booking.applying import bring

NO_OUTBOX = """
  CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
  GRANT EXECUTE ON FUNCTION nothing TO chrono48_app;
  CREATE TRIGGER nothing BEFORE INSERT ON outbox FOR EACH ROW EXECUTE FUNCTION nothing();
"""
NO_KEY = """
  CREATE FUNCTION forget() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS
    'BEGIN DELETE FROM idempotency_key WHERE key = NEW.key; RETURN NULL; END';
  GRANT EXECUTE ON FUNCTION forget TO chrono48_app;
  CREATE TRIGGER forget AFTER INSERT ON idempotency_key FOR EACH ROW EXECUTE FUNCTION forget();
"""


async def write_no_outbox(owner: asyncpg.Connection) -> None:
    """A commit that announces nothing."""
    await owner.execute(NO_OUTBOX)


async def keep_no_key(owner: asyncpg.Connection) -> None:
    """A command that remembers no answer."""
    await owner.execute(NO_KEY)


def put_before_the_commit() -> None:
    """The broker hears of a cancellation that the ledger has not yet."""
    once, read_again = once_module.once, once_module._read_again
    desks: list[Any] = []

    async def at_a_desk(desk: Any, *arguments: Any) -> Any:
        desks.append(desk)
        return await once(desk, *arguments)

    async def read_and_put(conn: Any, effect: Any) -> Any:
        slots = await read_again(conn, effect)
        desk = desks[-1]
        await bring(desk, slots, "cancel", desk.broker.known_generations(desk.territories.by_id))
        return slots

    appointments.once = at_a_desk  # type: ignore[assignment]
    once_module._read_again = read_and_put


def keep_no_answer_of_a_hold() -> None:
    """hold.lua forgets under which key it gave a seat."""
    hold = scripts.load("hold")
    text, count = re.subn(
        r"redis\.call\('SET', answer,.*?'PX', answer_ttl_ms\)", "", hold.text, flags=re.DOTALL
    )
    assert count == 1
    forgetful = replace(hold, text=text, sha="0" * 40)
    load = scripts.load
    scripts.load = lambda name: forgetful if name == "hold" else load(name)  # type: ignore[assignment]
