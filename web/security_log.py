"""What of signing in goes into the audit: in the chain of the installation, for it precedes territories."""

from typing import Any, Final
from uuid import UUID

from starlette.requests import Request

from slots.ids import INSTALLATION, AccountId
from slots.store.audit import record
from slots.transaction import entered

NOBODY: Final = UUID(int=0)  # the subject where nobody has the address that was typed


async def noted(request: Request[Any], verb: str, account_id: AccountId | None) -> None:
    """Write down that *verb* happened to an account; None: to nobody whom we know.

    Raises:
        LedgerUnavailable: It could not be written; then what it tells must not happen either.
    """
    async with entered(request.state["desk"].pool, account_id, [INSTALLATION]) as conn:
        await record(conn, INSTALLATION, account_id, verb, "account", [account_id or NOBODY])
