"""A refusal as a page: what happened, and what to do next. Nothing that was typed is lost."""

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlencode

import msgspec
from starlette.datastructures import URL
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from slots.settings import Settings
from web.attention import is_asked_by_a_page
from web.errors import Problem
from web.pages.page import ORIENT, REGULATION, SEE_OTHER, Screen, Viewer, own_path, page_text

# What to do next, where the sentence itself does not say it.
NEXT_STEPS: Final = {
    "contact-unknown": "Revenez au rendez-vous : il dit si des coordonnées peuvent être ajoutées.",
    "not-found": "L’adresse est peut-être ancienne. Reprenez depuis un écran ci-dessous.",
    "unexpected": "Réessayez ; si cela continue, prévenez la coordination de votre CPTS.",
    "cross-site": "Ouvrez la page depuis son adresse habituelle, puis recommencez.",
    "not-allowed": "Si vous devriez y avoir droit, demandez à la coordination de votre CPTS.",
    "session-locked": "Ouvrez-la par votre code ou votre clé d’accès ; rien de ce qui a été saisi n’a été envoyé.",
    "hold-expired": "Retenez à nouveau une place : celle-ci, si elle est encore libre, ou une autre.",
    "hold-renewed": "Confirmez avant la fin du décompte, ou libérez la place.",
    "slot-taken": "Choisissez une autre place.",
    "slot-withdrawn": "Choisissez une autre place.",
    "slot-changed": "Relisez le créneau, puis retenez-le à nouveau s’il convient.",
    "slot-not-live": "Choisissez une autre place.",
    "daily-cap": "Choisissez une autre place, ou un autre jour.",
    "slot-overlap": "Changez l’heure, ou retirez d’abord l’autre créneau.",
}
UNKNOWN_YET: Final = 503


def problem_page(
    request: Request[Any], problem: Problem, headers: Mapping[str, str], settings: Settings
) -> Response:
    """The page of one refusal; whoever is not signed in is sent to sign in, and back."""
    state = request.scope.setdefault("state", {})
    state.setdefault("settings", settings)
    if problem.code == "not-signed-in":
        return _to_sign_in(request)
    if problem.code == "session-locked" and not is_asked_by_a_page(request.scope):
        return RedirectResponse(f"/verrou?{urlencode({'suite': _page_of(request)})}", SEE_OTHER)
    if problem.code == "proof-due":
        return RedirectResponse(
            f"/compte/prouver?{urlencode({'suite': _page_of(request)})}", SEE_OTHER
        )
    posted: list[tuple[str, str]] = state.get("posted", [])
    alternatives = () if problem.alternatives is msgspec.UNSET else problem.alternatives
    text = page_text(
        request,
        "problem.html",
        problem=problem,
        next_step=NEXT_STEPS.get(problem.code, ""),
        errors=() if problem.errors is msgspec.UNSET else problem.errors,
        alternatives=alternatives,
        # The same key again finds out what became of the first try.
        again=posted if problem.status == UNKNOWN_YET else (),
        context=[
            (name, value) for name, value in posted if name in ("moving", "act", "delay", "back")
        ],
        back=own_path(dict(posted).get("back"), _best_screen(state.get("viewer")).path),
    )
    return HTMLResponse(text, problem.status, headers=dict(headers))


def _to_sign_in(request: Request[Any]) -> Response:
    path = _page_of(request)
    query = f"?{urlencode({'suite': path})}" if path not in ("", "/") else ""
    return RedirectResponse("/connexion" + query, SEE_OTHER)


def _page_of(request: Request[Any]) -> str:
    """The page that is asked for. A post cannot be repeated after a detour: the page that it came from."""
    wanted = request.url
    if request.method != "GET":
        wanted = URL(request.headers.get("referer", "/"))
    return wanted.path + (f"?{wanted.query}" if wanted.query else "")


def _best_screen(viewer: Viewer | None) -> Screen:
    screens = viewer.screens if viewer else ()
    for screen in (REGULATION, ORIENT):
        if screen in screens:
            return screen
    return screens[0] if screens else Screen("/", "Accueil", "list")
