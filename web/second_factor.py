"""The second step of signing in: an app's code, a recovery code, or a passkey, which also goes alone.

Guesses are counted per ticket and per account: only who knows the password can spend the account's,
so that nobody can lock another out; a passkey is not guessed and not counted. A new password (by
mail) forgets no guess: who reads the mailbox has no more of them than before.
"""

from datetime import datetime
from typing import Any, Final

import structlog
from starlette.requests import Request
from webauthn.helpers import generate_challenge

from slots.database import Connection
from slots.ids import AccountId
from slots.scope import SessionKind
from slots.sealing import Sealer, Unsealable
from slots.second_factor import Factor, Proof, app_step, recovery_hash
from slots.store import factor as factors
from slots.store import session as sessions
from slots.store import ticket as tickets
from slots.store.ticket import Purpose, Ticket
from slots.transaction import entered, looking
from web import passkeys
from web.auth import browser_hash_of
from web.refusals import FactorRefused, TicketEnded
from web.security_log import noted
from web.sign_in import Opened, begin, count_try
from web.tickets import ticket_of

log = structlog.get_logger()

GUESSES: Final = "second factor"  # where the account's wrong codes are counted, beside addresses
# The place that a secret is sealed for.
APP_PLACE: Final = "authenticator_app.secret/{account_id}"


async def with_code(
    request: Request[Any],
    ticket_id: str,
    factor: Factor,
    code: str,
    *,
    is_phone: bool = False,
) -> Opened:
    """End a sign-in with a code of the account's app, or a recovery code.

    Each code is good once, and the ticket for one sign-in only, however many ask at once.

    Raises:
        TicketEnded: Too late, too many tries, or done already: the password again.
        TooManyTries: Too many wrong codes for this account; it says when to try again.
        FactorRefused: The code is wrong, or was used before.
    """
    ticket = await ticket_of(request, ticket_id, Purpose.SIGN_IN)
    assert ticket.account_id is not None
    now = request.state["desk"].clock.now()
    async with entered(request.state["desk"].pool, None, ()) as conn:
        await count_try(conn, ticket.email, GUESSES, now)
        if not await tickets.try_ticket(conn, ticket.id_hash, now):
            raise TicketEnded
        is_good = await _is_good(request, conn, ticket.account_id, factor, code, now)
        if is_good:
            await _finish(conn, ticket, now)
    if not is_good:
        await noted(request, "factor-refused", ticket.account_id)
        raise FactorRefused
    return await opened_by(request, ticket.account_id, Proof(factor.value), is_phone=is_phone)


async def ask_passkey(request: Request[Any], ticket_id: str | None) -> tuple[str, str]:
    """A ticket, and what the browser is to ask the passkey for, as JSON.

    ticket_id: of a sign-in whose password was right; without it the passkey says who it is.

    Raises:
        TicketEnded: As `with_code`.
        FactorRefused: At this address there are no passkeys.
    """
    challenge = generate_challenge()
    pool, now = request.state["desk"].pool, request.state["desk"].clock.now()
    if not ticket_id:
        options = passkeys.question(request, challenge, [], alone=True)
        async with looking(pool) as conn:
            return await tickets.open_ticket(conn, Purpose.PASSKEY, None, now, challenge), options
    ticket = await ticket_of(request, ticket_id, Purpose.SIGN_IN)
    assert ticket.account_id is not None
    async with looking(pool) as conn:
        own = await factors.passkeys_of(conn, ticket.account_id)
        await tickets.put_into_ticket(conn, ticket.id_hash, challenge=challenge)
    return ticket_id, passkeys.question(request, challenge, own, alone=False)


async def with_passkey(
    request: Request[Any],
    ticket_id: str,
    credential: dict[str, Any],
    *,
    is_phone: bool = False,
) -> Opened:
    """End a sign-in with a passkey's answer to the question of `ask_passkey`.

    Raises:
        TicketEnded: As `with_code`; each question is listened to once.
        FactorRefused: The answer is not good.
    """
    ticket = await ticket_of(request, ticket_id, Purpose.SIGN_IN, Purpose.PASSKEY)
    account_id = await passkey_shown(request, ticket, credential)
    return await opened_by(request, account_id, Proof.PASSKEY, is_phone=is_phone)


async def passkey_shown(
    request: Request[Any], ticket: Ticket, credential: dict[str, Any]
) -> AccountId:
    """Whose passkey has answered the question of *ticket*, which is spent by it.

    Raises:
        TicketEnded, FactorRefused: As `with_passkey`.
    """
    now = request.state["desk"].clock.now()
    credential_id = passkeys.credential_id_of(credential)
    async with looking(request.state["desk"].pool) as conn:
        challenge = await tickets.take_challenge(conn, ticket.id_hash, now)
        known = await factors.passkey_called(conn, credential_id)
    if challenge is None:
        raise TicketEnded
    try:
        if known is None or ticket.account_id not in (None, known.account_id):
            raise FactorRefused
        alone = ticket.purpose is Purpose.PASSKEY
        sign_count = passkeys.shown(request, credential, challenge, known, alone=alone)
    except FactorRefused:
        if known is not None:  # anybody may send nonsense, and the audit forgets nothing
            await noted(request, "factor-refused", known.account_id)
        raise
    async with entered(request.state["desk"].pool, None, ()) as conn:
        await factors.use_passkey(conn, credential_id, sign_count, now)
        await _finish(conn, ticket, now)
    return known.account_id


def sealer_of(request: Request[Any]) -> Sealer:
    """What seals the secrets of apps."""
    return Sealer.of(request.state["settings"].secret_keys)


async def _is_good(
    request: Request[Any],
    conn: Connection,
    account_id: AccountId,
    factor: Factor,
    code: str,
    now: datetime,
) -> bool:
    if factor is Factor.RECOVERY:
        return await factors.use_recovery_code(conn, account_id, recovery_hash(code), now)
    sealed = (await factors.factors_of(conn, account_id)).app_secret
    if factor is not Factor.TOTP or sealed is None:
        return False
    try:
        secret = sealer_of(request).open(sealed, APP_PLACE.format(account_id=account_id))
    except Unsealable:
        # A key that is gone, or a row that somebody has written: neither lets anybody in.
        log.exception("factor.unsealable", account_id=str(account_id))
        return False
    step = app_step(secret, code, now)
    return step is not None and await factors.use_app_step(conn, account_id, step)


async def _finish(conn: Connection, ticket: Ticket, now: datetime) -> None:
    if not await tickets.spend_ticket(conn, ticket.id_hash, now):
        raise TicketEnded  # somebody else was quicker: nothing of this transaction stays
    await sessions.forget_sign_in_failures(conn, ticket.email, GUESSES)


async def opened_by(
    request: Request[Any], account_id: AccountId, proof: Proof, *, is_phone: bool = False
) -> Opened:
    """Whoever is signed in as this account already has shown again who they are; else a session.

    Either way the browser gets a new id, and its old one is good for nothing. Who stands before a
    lock has shown all that a sign-in asks for: a session of their own begins.

    Raises:
        NotSignedIn: The session has ended meanwhile, or another tab was quicker.
    """
    session_hash = browser_hash_of(request)
    if session_hash is not None:
        found = await request.state["sessions"].signed_in(session_hash)
        is_open = found is not None and found.kind is SessionKind.BROWSER and not found.is_locked
        if found is not None and is_open and found.account.id == account_id:
            session_id, good_for = await request.state["sessions"].prove(session_hash, proof)
            log.info("proved-again", account_id=str(account_id), proof=proof.value)
            return Opened(session_id, good_for, found)
    return await begin(request, account_id, proof, is_phone=is_phone)
