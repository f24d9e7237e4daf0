"""Adding a factor: the first one on the way in, more of them from one's account.

The first one needs only what led here, a password or an invitation; so a ticket for it is good as
long as there is none. Whoever signed in and has shown again who they are may add others.
"""

from typing import Any, Final

from starlette.requests import Request
from webauthn.helpers import generate_challenge

from slots.database import Connection
from slots.ids import INSTALLATION
from slots.letters import factor_added
from slots.second_factor import (
    Proof,
    app_address,
    app_step,
    new_app_secret,
    new_recovery_codes,
    recovery_hash,
)
from slots.store import factor as factors
from slots.store import ticket as tickets
from slots.store.audit import record
from slots.store.ticket import Purpose, Ticket
from slots.transaction import entered, looking
from web import passkeys
from web.auth import signed_in
from web.devices import device_of
from web.refusals import FactorRefused, NotSignedIn, TicketEnded
from web.second_factor import APP_PLACE, sealer_of
from web.tickets import ticket_of

PURPOSES: Final = (Purpose.ENROL, Purpose.ADD, Purpose.INVITATION)
TICKET_PLACE: Final = "ticket.secret/{account_id}"


async def enrolling(request: Request[Any], ticket_id: str) -> Ticket:
    """The ticket of somebody who may add a factor.

    Raises:
        TicketEnded: It is none of these, too late, or of a session that has ended.
    """
    ticket = await ticket_of(request, ticket_id, *PURPOSES)
    if ticket.purpose is Purpose.ADD:
        try:
            is_own = (await signed_in(request)).account.id == ticket.account_id
        except NotSignedIn:
            is_own = False
        if not is_own:
            raise TicketEnded
    return ticket


async def app_to_add(request: Request[Any], ticket: Ticket) -> str | None:
    """The address that an app reads from a QR code; the same until it is added.

    None where the installation has no key to seal a secret with, and where the account has no
    password, beside which alone an app's code is asked for.
    """
    sealer = sealer_of(request)
    assert ticket.account_id is not None
    async with looking(request.state["desk"].pool) as conn:
        has_password = (await factors.factors_of(conn, ticket.account_id)).has_password
    if not sealer.is_able or not has_password:
        return None
    place = TICKET_PLACE.format(account_id=ticket.account_id)
    if ticket.secret is not None:
        secret = sealer.open(ticket.secret, place)
    else:
        secret = new_app_secret()
        async with looking(request.state["desk"].pool) as conn:
            await tickets.put_into_ticket(conn, ticket.id_hash, secret=sealer.seal(secret, place))
    return app_address(secret, ticket.email, request.state["settings"].product_name)


async def add_app(request: Request[Any], ticket: Ticket, code: str) -> None:
    """Add the app that shows *code* for the secret of `app_to_add`.

    Raises:
        TicketEnded: It was done already, too late, or tried too often.
        FactorRefused: The code is not of now.
    """
    now = request.state["desk"].clock.now()
    async with looking(request.state["desk"].pool) as conn:
        if not await tickets.try_ticket(conn, ticket.id_hash, now):
            raise TicketEnded
    if ticket.secret is None or ticket.account_id is None:
        raise TicketEnded
    place = TICKET_PLACE.format(account_id=ticket.account_id)
    secret = sealer_of(request).open(ticket.secret, place)
    step = app_step(secret, code, now)
    if step is None:
        raise FactorRefused
    sealed = sealer_of(request).seal(secret, APP_PLACE.format(account_id=ticket.account_id))
    async with _adding(request) as conn:
        await _may_add(request, conn, ticket)
        await factors.put_authenticator_app(conn, ticket.account_id, sealed, step, now)
        await _tell(request, conn, ticket)


async def passkey_to_add(request: Request[Any], ticket: Ticket) -> str | None:
    """What `navigator.credentials.create` takes, as JSON; None where there are no passkeys here."""
    if passkeys.relying_party(request) is None or ticket.account_id is None:
        return None
    challenge = generate_challenge()
    async with looking(request.state["desk"].pool) as conn:
        own = await factors.passkeys_of(conn, ticket.account_id)
        await tickets.put_into_ticket(conn, ticket.id_hash, challenge=challenge)
    return passkeys.invitation(
        request, challenge, ticket.account_id, ticket.email, ticket.name, own
    )


async def add_passkey(request: Request[Any], ticket: Ticket, credential: dict[str, Any]) -> None:
    """Add the passkey that the browser has just made.

    Raises:
        TicketEnded: It was done already, or too late.
        FactorRefused: The answer is not to our question, or the passkey is somebody's already.
    """
    now = request.state["desk"].clock.now()
    async with looking(request.state["desk"].pool) as conn:
        challenge = await tickets.take_challenge(conn, ticket.id_hash, now)
    if challenge is None or ticket.account_id is None:
        raise TicketEnded
    credential_id, public_key, sign_count = passkeys.made(request, credential, challenge)
    name = device_of(request.headers.get("user-agent", ""))
    async with _adding(request) as conn:
        await _may_add(request, conn, ticket)
        if not await factors.put_passkey(
            conn, ticket.account_id, credential_id, public_key, sign_count, name, now
        ):
            raise FactorRefused
        await _tell(request, conn, ticket)


async def recovery_codes(request: Request[Any], ticket: Ticket) -> list[str]:
    """New recovery codes where there are none left, told once; else nothing."""
    assert ticket.account_id is not None
    async with entered(request.state["desk"].pool, None, ()) as conn:
        await factors.has_no_factor(conn, ticket.account_id)  # two who add at once take turns
        if (await factors.factors_of(conn, ticket.account_id)).recovery_codes_left:
            return []
        codes = new_recovery_codes()
        await factors.put_recovery_codes(conn, ticket.account_id, map(recovery_hash, codes))
    return codes


def proof_of(kind: str) -> Proof:
    """What adding a factor of this kind has shown."""
    return Proof.PASSKEY if kind == "passkey" else Proof.TOTP


def _adding(request: Request[Any]) -> Any:
    return entered(request.state["desk"].pool, None, [INSTALLATION])


async def _may_add(request: Request[Any], conn: Connection, ticket: Ticket) -> None:
    """Spend the ticket, and hold everybody else off until the factor is there."""
    assert ticket.account_id is not None
    is_first = await factors.has_no_factor(conn, ticket.account_id)
    if ticket.purpose is not Purpose.ADD and not is_first:
        raise TicketEnded
    if not await tickets.spend_ticket(conn, ticket.id_hash, request.state["desk"].clock.now()):
        raise TicketEnded


async def _tell(request: Request[Any], conn: Connection, ticket: Ticket) -> None:
    """The audit, and the owner, who may not have been here."""
    assert ticket.account_id is not None
    now = request.state["desk"].clock.now()
    account_id = ticket.account_id
    await record(conn, INSTALLATION, account_id, "factor-added", "account", [account_id])
    await tickets.write_to_account(
        conn, account_id, factor_added(now, request.state["settings"].product_name), now
    )
