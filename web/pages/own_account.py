"""`/compte`: who I am here, and where I am signed in; each session can be ended from any other."""

from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from slots.ids import AccountId
from slots.store.lock import has_own_pin
from slots.transaction import entered
from web.api.endpoint import now_of
from web.auth import browser_hash_of
from web.pages.own_devices import SCOPES, devices_of
from web.pages.own_protection import protection_of
from web.pages.page import notice_of, posted, see_other, show, viewer_of
from web.pages.regulation import covered_by
from web.sessions import Sessions
from web.state import State

PATH: Final = "/compte"
NOTICES: Final = {
    "fermee": "Session fermée : cet appareil est déconnecté.",
    "fermees": "Toutes les autres sessions sont fermées.",
    "aucune": "Cette session était déjà fermée.",
    "mot-de-passe": "Mot de passe changé. Vos autres sessions, clés et écrans sont fermés.",
    "trop-tard": "Cette étape est terminée ou a trop duré. Recommencez, s’il vous plaît.",
    "retire": "Retiré : ce moyen ne permet plus de se connecter.",
    "code": "Code de déverrouillage choisi : il rouvre un poste verrouillé, et rien d’autre.",
    "code-retire": "Code retiré : une clé d’accès ou une nouvelle connexion rouvre un poste verrouillé.",
    "dernier": "C’est votre dernier moyen de double authentification : ajoutez-en d’abord un autre.",
}


async def own_account(request: Request[State]) -> Response:
    """The account and its sessions, the one in use marked."""
    viewer = await viewer_of(request)
    sessions: Sessions = request.state["sessions"]
    factors, passkeys = await protection_of(request, viewer.account.id)
    return show(
        request,
        "own_account.html",
        factors=factors,
        has_pin=await has_pin(request, viewer.account.id),
        passkeys=passkeys,
        devices=await devices_of(request, viewer.account.id),
        scopes=SCOPES,
        covered=covered_by(viewer.account),
        sessions=await sessions.of(viewer.account.id),
        in_use=browser_hash_of(request),
        now=now_of(request),
        notice=notice_of(request, NOTICES),
    )


async def has_pin(request: Request[State], account_id: AccountId) -> bool:
    """Whether the account has a PIN that opens a locked PC."""
    async with entered(request.state["desk"].pool, account_id, ()) as conn:
        return await has_own_pin(conn)


async def end_session(request: Request[State]) -> Response:
    """End one of one's own sessions, or all but this one. Safe to repeat."""
    viewer = await viewer_of(request)
    await posted(request)
    session_id = request.path_params.get("session_id")
    sessions: Sessions = request.state["sessions"]
    kept_hash = browser_hash_of(request) or b""
    ended = await sessions.end_own(viewer.account.id, session_id, kept_hash)
    if session_id is None:
        return see_other(PATH, fait="fermees")
    return see_other(PATH, fait="fermee" if ended else "aucune")
