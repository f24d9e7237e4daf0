"""What of signing in goes into the audit: in the chain of the installation, for it precedes territories."""

import time
from collections import OrderedDict
from contextlib import suppress
from typing import Any, Final
from uuid import UUID

from starlette.requests import Request
from starlette.types import Scope

from slots.errors import LedgerUnavailable, NotAllowed, OutcomeUnknown, SlotError
from slots.ids import INSTALLATION, AccountId
from slots.store.audit import record
from slots.transaction import entered

AGAIN_AFTER_S: Final = 60.0
REMEMBERED_MAX: Final = 10_000  # people and routes
NOBODY: Final = UUID(int=0)  # the subject where nobody has the address that was typed


class Refusals:
    """Writes down that somebody signed in was refused what their role does not allow.

    Once a minute for each person and route, and process: a page that asks again and again must not
    fill an audit that forgets nothing.
    """

    def __init__(self) -> None:
        """Nobody was refused yet."""
        self._told_at_s: OrderedDict[tuple[AccountId, str], float] = OrderedDict()

    async def note(self, scope: Scope, route: str, refusal: SlotError) -> None:
        """Note it, where it is one. With the ledger away the refusal stands, and the log has it."""
        account_id = scope.get("state", {}).get("account_id")
        if account_id is None or not isinstance(refusal, NotAllowed):
            return
        now_s = time.monotonic()
        if now_s - self._told_at_s.pop((account_id, route), -AGAIN_AFTER_S) < AGAIN_AFTER_S:
            self._told_at_s[account_id, route] = now_s
            return
        self._told_at_s[account_id, route] = now_s
        if len(self._told_at_s) > REMEMBERED_MAX:
            self._told_at_s.popitem(last=False)
        with suppress(LedgerUnavailable, OutcomeUnknown):
            pool = scope["state"]["desk"].pool
            async with entered(pool, account_id, [INSTALLATION]) as conn:
                await record(conn, INSTALLATION, account_id, "refuse", "account", [account_id])


async def noted(request: Request[Any], verb: str, account_id: AccountId | None) -> None:
    """Write down that *verb* happened to an account; None: to nobody whom we know.

    Raises:
        LedgerUnavailable: It could not be written; then what it tells must not happen either.
    """
    async with entered(request.state["desk"].pool, account_id, [INSTALLATION]) as conn:
        await record(conn, INSTALLATION, account_id, verb, "account", [account_id or NOBODY])
