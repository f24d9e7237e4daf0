"""What protects one's account, on `/compte`: keys, the app, recovery codes, the password.

Each change asks first who it is, where that was shown more than PROVED_FOR ago.
"""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from slots.database import Connection
from slots.ids import INSTALLATION, AccountId
from slots.letters import Letter, codes_renewed, factor_removed, password_changed
from slots.password import fault_of
from slots.push import from_base64url
from slots.second_factor import Factors, Proof, new_recovery_codes, recovery_hash
from slots.store import factor as factors
from slots.store import ticket as tickets
from slots.store.audit import record
from slots.store.factor import Passkey
from slots.store.ticket import Purpose
from slots.transaction import entered, looking
from web.auth import give_cookie, signed_in
from web.errors import problem_of
from web.pages.page import Viewer, own_path, posted, see_other, show, viewer_of
from web.pages.sign_in import FACTOR_PATH, PROTECTION_PATH
from web.refusals import NotSignedIn, SignInRefused, TooManyTries
from web.sessions import Sessions
from web.sign_in import due, password_of
from web.state import State
from web.tickets import give_ticket

Remove = Callable[[Connection], Awaitable[bool]]

PATH: Final = "/compte"
PROVED_FOR: Final = timedelta(minutes=15)
# From the page that has asked who it is to what is typed there: nobody loses a form to the clock.
TYPED_WITHIN: Final = timedelta(hours=1)
NOT_CURRENT: Final = "Ce n’est pas votre mot de passe actuel."


async def protection_of(
    request: Request[State], account_id: AccountId
) -> tuple[Factors, list[Passkey]]:
    """What the account can show, for its owner's page."""
    async with looking(request.state["desk"].pool) as conn:
        return (
            await factors.factors_of(conn, account_id),
            await factors.passkeys_of(conn, account_id),
        )


async def is_proved(request: Request[State], within: timedelta = PROVED_FOR) -> bool:
    """Whether whoever is signed in has shown who they are a short while ago.

    With a second factor, where the account has one: a password alone is not enough then, and that
    it was typed at a workstation of a regulation room lets in, and is no more.
    """
    who = await signed_in(request)
    sessions: Sessions = request.state["sessions"]
    found = await sessions.proof_of(who.session_hash)
    if found is None:
        raise NotSignedIn
    proof, proved_at = found
    if proof is Proof.WORKSTATION:
        return False
    if datetime.now(UTC) - proved_at > within:
        return False
    if proof is not Proof.PASSWORD:
        return True
    return not (await protection_of(request, who.account.id))[0].kinds


async def ask_who(request: Request[State], after: str = PATH) -> Response:
    """Ask whoever is signed in to show again who they are: by a factor, or by the password."""
    account = (await signed_in(request)).account
    kinds = (await protection_of(request, account.id))[0].kinds
    if not kinds:
        return see_other(f"{PATH}/confirmer", suite=after)
    ticket = await due(request, Purpose.SIGN_IN, account.id, kinds)
    response = see_other(FACTOR_PATH, suite=after)
    give_ticket(response, ticket.ticket_id, Purpose.SIGN_IN, request.state["settings"])
    return response


async def prove(request: Request[State]) -> Response:
    """Ask who it is, and go where one was going: for a phone that is signed in for long."""
    return await ask_who(request, own_path(request.query_params.get("suite"), PATH))


async def confirm_page(request: Request[State]) -> Response:
    """Ask for the password, or Pro Santé Connect, of who has no second factor here."""
    viewer = await viewer_of(request)
    after = own_path(request.query_params.get("suite"), PATH)
    factors_here, _ = await protection_of(request, viewer.account.id)
    if factors_here.kinds:
        return await ask_who(request, after)
    return _confirm_form(request, after, has_password=factors_here.has_password)


async def confirm(request: Request[State]) -> Response:
    """Take the password as a proof, of who has nothing else."""
    viewer = await viewer_of(request)
    form = await request.form()
    after = own_path(str(form.get("after", "")), PATH)
    if (await protection_of(request, viewer.account.id))[0].kinds:
        return await ask_who(request, after)  # a password alone is not enough
    try:
        await password_of(request, viewer.account.email, str(form.get("password", "")))
    except (SignInRefused, TooManyTries) as refused:
        problem = problem_of(refused)
        return _confirm_form(request, after, error=problem.detail, status=problem.status)
    session_hash = (await signed_in(request)).session_hash
    sessions: Sessions = request.state["sessions"]
    found = await sessions.proof_of(session_hash)
    if found is not None and found[0] is Proof.WORKSTATION:
        # They have no factor of their own yet: as at any first sign-in, they add one now.
        ticket = await due(request, Purpose.ENROL, viewer.account.id)
        response = see_other(PROTECTION_PATH, suite=after)
        give_ticket(response, ticket.ticket_id, Purpose.ENROL, request.state["settings"])
        return response
    session_id, good_for = await sessions.prove(session_hash, Proof.PASSWORD)
    response = see_other(after)
    give_cookie(response, session_id, good_for, request.state["settings"])
    return response


async def add(request: Request[State]) -> Response:
    """Go and add a key or an app."""
    viewer = await _owner(request)
    if not await is_proved(request):
        return await ask_who(request)
    ticket = await due(request, Purpose.ADD, viewer.account.id)
    response = see_other(PROTECTION_PATH, suite=PATH)
    give_ticket(response, ticket.ticket_id, Purpose.ADD, request.state["settings"])
    return response


async def remove_passkey(request: Request[State]) -> Response:
    """Take a key away, unless it is the last factor and one is required."""
    credential_id = from_base64url(request.path_params["credential_id"]) or b""

    async def remove(conn: Connection) -> bool:
        return await factors.remove_own_passkey(conn, credential_id)

    return await _remove(request, "passkey", remove)


async def remove_app(request: Request[State]) -> Response:
    """Take the app away, with the same exception."""
    return await _remove(request, "app", factors.remove_own_app)


async def renew_codes(request: Request[State]) -> Response:
    """New recovery codes, told once; the old ones are good no more."""
    viewer = await _owner(request)
    if not await is_proved(request):
        return await ask_who(request)
    codes = new_recovery_codes()
    account_id = viewer.account.id
    async with entered(request.state["desk"].pool, account_id, [INSTALLATION]) as conn:
        await factors.put_recovery_codes(conn, account_id, map(recovery_hash, codes))
        await record(conn, INSTALLATION, account_id, "codes-renewed", "account", [account_id])
        await _tell(request, conn, account_id, codes_renewed)
    return show(request, "recovery_codes.html", codes=codes, after=PATH)


async def password_page(request: Request[State]) -> Response:
    """Choose another password."""
    await viewer_of(request)
    if not await is_proved(request):
        return await ask_who(request, f"{PATH}/mot-de-passe")
    return await _password_form(request, {})


async def change_password(request: Request[State]) -> Response:
    """Take it from who knows the one before it, and end all other sessions."""
    viewer = await viewer_of(request)
    form = await request.form()
    if not await is_proved(request):
        return await ask_who(request, f"{PATH}/mot-de-passe")
    account, password = viewer.account, str(form.get("password", ""))
    product_name = request.state["settings"].product_name
    known = (account.email, account.name, account.organisation, product_name)
    if (fault := fault_of(password, known)) is not None:
        return await _password_form(request, {"password": fault}, status=422)
    if (refused := await _wrong_current(request, viewer, str(form.get("current", "")))) is not None:
        return await _password_form(request, {"current": refused}, status=422)
    password_hash = await request.state["passwords"].hash(password)
    now = request.state["desk"].clock.now()
    async with entered(request.state["desk"].pool, account.id, [INSTALLATION]) as conn:
        await factors.set_password(conn, account.id, password_hash)
        await tickets.spend_tickets_of(conn, account.id, now)
        await record(conn, INSTALLATION, account.id, "password-changed", "account", [account.id])
        await _tell(request, conn, account.id, password_changed)
    kept_hash = (await signed_in(request)).session_hash
    await request.state["sessions"].end_all_of(account.id, kept_hash)
    return see_other(PATH, fait="mot-de-passe")


async def _tell(
    request: Request[State],
    conn: Connection,
    account_id: AccountId,
    letter: Callable[[datetime, str], Letter],
) -> None:
    """By mail: the owner may not be who is here."""
    now, product_name = request.state["desk"].clock.now(), request.state["settings"].product_name
    await tickets.write_to_account(conn, account_id, letter(now, product_name), now)


async def _owner(request: Request[State]) -> Viewer:
    viewer = await viewer_of(request)
    await posted(request)
    return viewer


async def _remove(request: Request[State], kind: str, remove: Remove) -> Response:
    viewer = await _owner(request)
    if not await is_proved(request):
        return await ask_who(request)
    account_id = viewer.account.id
    required = request.state["settings"].is_factor_required
    async with entered(request.state["desk"].pool, account_id, [INSTALLATION]) as conn:
        # Locks the account: two who each take away one of the last two take turns.
        await factors.has_no_factor(conn, account_id)
        own = await factors.factors_of(conn, account_id)
        left = own.passkeys + (own.app_secret is not None)
        if required and left <= 1:
            return see_other(PATH, fait="dernier")
        if await remove(conn):
            await record(conn, INSTALLATION, account_id, f"{kind}-removed", "account", [account_id])
            await _tell(request, conn, account_id, factor_removed)
    return see_other(PATH, fait="retire")


def _confirm_form(
    request: Request[State],
    after: str,
    *,
    has_password: bool = True,
    error: str = "",
    status: int = 200,
) -> Response:
    return show(
        request,
        "confirm_password.html",
        status=status,
        after=after,
        has_password=has_password,
        has_psc=request.state["pro_sante_connect"].is_offered,
        error=error,
    )


async def _wrong_current(request: Request[State], viewer: Viewer, current: str) -> str | None:
    """What is wrong with the present password as it was typed; who has none need not know it."""
    account = viewer.account
    if not (await protection_of(request, account.id))[0].has_password:
        return None
    try:
        await password_of(request, account.email, current)
    except SignInRefused:
        return NOT_CURRENT
    except TooManyTries as refused:
        return problem_of(refused).detail
    return None


async def _password_form(
    request: Request[State], errors: dict[str, str], *, status: int = 200
) -> Response:
    account = request.scope["state"]["viewer"].account
    return show(
        request,
        "new_password.html",
        status=status,
        email=account.email,
        name=account.name,
        is_invitation=False,
        has_password=(await protection_of(request, account.id))[0].has_password,
        errors=errors,
    )
