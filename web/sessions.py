"""The sessions of the ledger, as of a second ago at most.

A session in use is looked up once; after that one query, twice a second, asks about all of them,
and forgets those that ended or whose rights changed. So a request costs the ledger nothing.
"""

import asyncio
import time
from collections import OrderedDict
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice, takewhile
from typing import Final
from uuid import UUID

import structlog

from slots.account import SignedIn
from slots.database import Pool
from slots.errors import LedgerUnavailable
from slots.ids import INSTALLATION, AccountId
from slots.second_factor import Proof
from slots.secret_id import hash_of, new_secret_id
from slots.store import session as store
from slots.store.audit import record
from slots.store.lock import attend
from slots.store.session import Alive, OwnSession
from slots.store.workstation import open_session_at
from slots.transaction import entered, looking
from web.refusals import NotSignedIn

KNOWN_FOR_S: Final = 1.0  # how long an ended session may still pass in this process
# While the ledger is away nobody can end a session; who was known may go on looking this long.
KNOWN_WITHOUT_LEDGER_FOR_S: Final = 300.0
KNOWN_MAX: Final = 10_000  # sessions remembered by one process
RECHECK_EVERY_S: Final = 0.5
RECHECKED_MAX: Final = 1_000  # sessions in one query: those used last
IN_USE_FOR_S: Final = 120.0  # since its last request; later it is looked up anew
LOOK_UP_EVERY_S: Final = 300.0  # for the look-up also marks the session as used, in the ledger
ATTENDED_EVERY_S: Final = 30.0  # how exactly the ledger knows when a person was there last

log = structlog.get_logger()


@dataclass(slots=True)
class _Known:
    signed_in: SignedIn | None
    alive: Alive | None  # how it stood
    looked_up_at_s: float
    checked_at_s: float
    used_at_s: float
    attended_at_s: float  # when a person was there, as far as the ledger has heard from here

    def is_fresh(self, now_s: float) -> bool:
        return (
            now_s - self.checked_at_s < KNOWN_FOR_S
            and now_s - self.looked_up_at_s < LOOK_UP_EVERY_S
        )

    def passes_without_ledger(self, now_s: float) -> bool:
        is_recent = now_s - self.checked_at_s < KNOWN_WITHOUT_LEDGER_FOR_S
        return is_recent and self.signed_in is not None


class Sessions:
    """What one process knows of sessions. One per process, from start to stop."""

    def __init__(self, pool: Pool) -> None:
        """Look them up through *pool*."""
        self._pool = pool
        self._known: OrderedDict[bytes, _Known] = OrderedDict()  # the one used last is the last
        self._attended: dict[bytes, datetime] = {}  # what the ledger has not heard yet
        self._ledger_away_until_s = 0.0
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to ask, again and again, about the sessions in use."""
        self._task = asyncio.create_task(self._recheck_for_ever())

    async def stop(self) -> None:
        """Ask no more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self.tell_attended()

    async def signed_in(
        self, session_hash: bytes, *, without_ledger: bool = False
    ) -> SignedIn | None:
        """Who is behind a session; None where it has ended or never was.

        without_ledger: while the ledger is away, be content with what was known before.

        Raises:
            LedgerUnavailable: The ledger cannot say.
        """
        known = self._known.get(session_hash)
        now_s = time.monotonic()
        if known is not None and known.is_fresh(now_s):
            known.used_at_s = now_s
            self._known.move_to_end(session_hash)
            return known.signed_in
        passes = without_ledger and known is not None and known.passes_without_ledger(now_s)
        # A frozen ledger takes seconds to be found out: not for every glance at a board.
        if passes and now_s < self._ledger_away_until_s:
            return known.signed_in if known else None
        try:
            async with looking(self._pool) as conn:
                now = datetime.now(UTC)
                known_now = await store.account_and_rights(conn, session_hash, now)
        except LedgerUnavailable:
            self._ledger_away_until_s = time.monotonic() + KNOWN_FOR_S
            if passes:
                return known.signed_in if known else None
            raise
        found, alive = known_now or (None, None)
        attended_ago_s = (now - alive.attended_at).total_seconds() if alive else 0.0
        self._remember(
            session_hash, _Known(found, alive, now_s, now_s, now_s, now_s - attended_ago_s)
        )
        return found

    def attend(self, session_hash: bytes) -> None:
        """Somebody is there: the ledger hears it within RECHECK_EVERY_S, every ATTENDED_EVERY_S at most.

        While the ledger is away it hears nothing, and what this process knows dies with it: then a
        PC may lock a little early.
        """
        known = self._known.get(session_hash)
        now_s = time.monotonic()
        if known is None or now_s - known.attended_at_s < ATTENDED_EVERY_S:
            return
        known.attended_at_s = now_s
        self._attended[session_hash] = datetime.now(UTC)

    async def open(
        self,
        account_id: AccountId,
        device: str = "",
        proof: Proof = Proof.PASSWORD,
        *,
        is_phone: bool = False,
    ) -> str:
        """Begin a session. Returns its id, which only the cookie may hold."""
        session_id, now = new_secret_id(), datetime.now(UTC)
        async with looking(self._pool) as conn:
            await store.open_session(
                conn, hash_of(session_id), account_id, now, device, proof, is_phone=is_phone
            )
        return session_id

    async def open_at_workstation(
        self, account_id: AccountId, workstation_hash: bytes, device: str
    ) -> str | None:
        """Begin a session for who has shown their password at a workstation, for one shift.

        None where that does not count for them: another factor is due.
        """
        session_id, now = new_secret_id(), datetime.now(UTC)
        async with entered(self._pool, account_id, [INSTALLATION]) as conn:
            workstation_id = await open_session_at(
                conn, workstation_hash, hash_of(session_id), account_id, now, device
            )
            if workstation_id is None:
                return None
            verb, subject = "sign-in-at-workstation", "workstation"
            await record(conn, INSTALLATION, account_id, verb, subject, [workstation_id])
        return session_id

    async def proof_of(self, session_hash: bytes) -> tuple[Proof, datetime] | None:
        """How and when who is behind the session has last shown who they are."""
        async with looking(self._pool) as conn:
            return await store.session_proof(conn, session_hash)

    async def prove(self, session_hash: bytes, proof: Proof) -> tuple[str, timedelta]:
        """They have shown it again: the session goes on under a new id, and lasts no longer by it.

        Returns the id, which only the cookie may hold, and how long it is good for. The old one is
        good for nothing: this process forgets it at once, the others within KNOWN_FOR_S.

        Raises:
            NotSignedIn: The session has ended meanwhile, or another tab was quicker.
        """
        session_id, now = new_secret_id(), datetime.now(UTC)
        new_hash = hash_of(session_id)
        async with looking(self._pool) as conn:
            ends_at = await store.prove_session(conn, session_hash, new_hash, now, proof)
        self._known.pop(session_hash, None)
        attended_at = self._attended.pop(session_hash, None)
        if ends_at is None:
            raise NotSignedIn
        if attended_at is not None:  # the ledger would find nobody of the old hash to write it to
            self._attended[new_hash] = attended_at
        return session_id, ends_at - now

    def forget(self, session_hash: bytes) -> None:
        """Look it up anew at the next question."""
        self._known.pop(session_hash, None)

    async def end_all_of(self, account_id: AccountId, kept_hash: bytes | None = None) -> None:
        """End every session of an account, but for *kept_hash*; as quickly as `end_own`."""
        async with looking(self._pool) as conn:
            ended = await store.end_sessions_of(conn, account_id, kept_hash, datetime.now(UTC))
        for session_hash in ended:
            self._known.pop(session_hash, None)

    async def of(self, account_id: AccountId) -> list[OwnSession]:
        """The live sessions of an account, the one used last first."""
        async with entered(self._pool, account_id, ()) as conn:
            return await store.own_sessions(conn, datetime.now(UTC))

    async def end_own(
        self, account_id: AccountId, session_id: UUID | None, kept_hash: bytes
    ) -> int:
        """End one session of an account; None: all but *kept_hash*. Returns how many ended.

        This process forgets them at once, the others within KNOWN_FOR_S; sockets close within 2 s.
        """
        async with entered(self._pool, account_id, ()) as conn:
            ended = await store.end_own_sessions(conn, session_id, kept_hash, datetime.now(UTC))
        for session_hash in ended:
            self._known.pop(session_hash, None)
        return len(ended)

    async def end(self, session_hash: bytes) -> None:
        """End a session; this process forgets it at once, the others within KNOWN_FOR_S."""
        async with looking(self._pool) as conn:
            await store.end_session(conn, session_hash, datetime.now(UTC))
        self._known.pop(session_hash, None)

    async def tell_attended(self) -> None:
        """Tell the ledger of all who were there since the last time, at once."""
        attended, self._attended = self._attended, {}
        if not attended:
            return
        try:
            async with looking(self._pool) as conn:
                await attend(conn, attended)
        except LedgerUnavailable:
            self._attended = attended | self._attended

    async def recheck(self) -> None:
        """Ask about all sessions in use at once.

        While the ledger is away nothing is forgotten here: what is known grows old by itself.
        """
        now_s = time.monotonic()
        latest_first = reversed(self._known.items())
        in_use = takewhile(lambda one: now_s - one[1].used_at_s < IN_USE_FOR_S, latest_first)
        alive_ones = (session_hash for session_hash, known in in_use if known.signed_in is not None)
        hashes = list(islice(alive_ones, RECHECKED_MAX))
        if not hashes:
            return
        try:
            async with looking(self._pool) as conn:
                alive = await store.sessions_alive(conn, hashes, datetime.now(UTC))
        except LedgerUnavailable:
            return
        for session_hash in hashes:
            known = self._known.get(session_hash)
            if known is None or known.looked_up_at_s > now_s:
                continue
            if alive.get(session_hash) == known.alive:
                known.checked_at_s = now_s
            else:
                del self._known[session_hash]

    async def _recheck_for_ever(self) -> None:
        while True:
            try:
                # This first: whoever is there must not be found locked.
                await self.tell_attended()
                await self.recheck()
            except Exception:
                log.exception("sessions.recheck.failed")
            await asyncio.sleep(RECHECK_EVERY_S)

    def _remember(self, session_hash: bytes, known: _Known) -> None:
        self._known.pop(session_hash, None)
        if len(self._known) >= KNOWN_MAX:
            self._known.popitem(last=False)
        self._known[session_hash] = known
