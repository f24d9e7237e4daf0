"""What every page has in common: who looks, which screens they have, and how a page is answered."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse

from slots.account import Account
from slots.audience import MEMBER_ROLES, Role
from slots.errors import NotAllowed
from slots.scope import SessionKind
from slots.store.idempotency import Key
from web.api.endpoint import now_of
from web.auth import signed_in
from web.pages.environment import rendered
from web.refusals import KeyRequired
from web.state import State

SEE_OTHER: Final = 303  # after a post, get: reloading sends nothing twice
FORM_FIELDS_MAX: Final = 400
PATIENT: Final = "patient_"  # how the name of each field about a patient begins


@dataclass(frozen=True, slots=True)
class Screen:
    """One entry of the navigation."""

    path: str
    name: str
    icon: str


AVAILABILITY: Final = Screen("/disponibilites", "Mes disponibilités", "calendar")
ORIENT: Final = Screen("/orienter", "Orienter", "search")
REGULATION: Final = Screen("/regulation", "Régulation", "board")
ORIENTATIONS: Final = Screen("/orientations", "Orientations", "list")
DIRECTORY: Final = Screen("/annuaire", "Annuaire", "people")
COORDINATION: Final = Screen("/coordination", "Coordination", "people")
INSTALLATION_SCREEN: Final = Screen("/installation", "Territoires", "list")


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who looks at a page, and the screens of their roles, the best first."""

    account: Account
    screens: tuple[Screen, ...]
    locks: bool = False  # whether this is a PC, which locks when nobody is there

    @property
    def name(self) -> str:
        """The person's name."""
        return self.account.name

    @property
    def organisation(self) -> str:
        """Where they work."""
        return self.account.organisation


def screens_of(account: Account) -> tuple[Screen, ...]:
    """The screens that the account's roles use."""
    roles = frozenset[Role]().union(*account.roles.values())
    screens = []
    if account.schedules:
        screens.append(AVAILABILITY)
    if Role.REGULATOR in roles:
        screens.append(REGULATION)
    if roles & {Role.PROFESSIONAL, Role.REFERRER, Role.COORDINATOR}:
        screens.append(ORIENT)
    if roles & (MEMBER_ROLES | {Role.REGULATOR}):
        screens.append(ORIENTATIONS)
    if Role.COORDINATOR in roles:
        screens.append(COORDINATION)
    if account.roles:
        screens.append(DIRECTORY)
    if account.is_administrator:
        screens.append(INSTALLATION_SCREEN)
    return tuple(screens) or (DIRECTORY,)


async def viewer_of(request: Request[State]) -> Viewer:
    """Who asks for a page.

    Raises:
        NotSignedIn: The problem page sends them to sign in, and back.
    """
    found = await signed_in(request)
    viewer = Viewer(found.account, screens_of(found.account), found.locks)
    # Also a refusal is a page with its navigation: `problem_page` finds it here. A screen on a wall
    # has none, and bears nobody's name.
    is_wall = found.kind is SessionKind.WALL
    request.scope["state"]["viewer"] = None if is_wall else viewer
    return viewer


async def publisher_of(request: Request[State]) -> Viewer:
    """Who asks for a page of those who publish.

    Raises:
        NotAllowed: They have no schedule, of their own or delegated.
    """
    viewer = await viewer_of(request)
    if not viewer.account.schedules:
        raise NotAllowed
    return viewer


def show(
    request: Request[State], template: str, /, *, status: int = 200, **context: Any
) -> HTMLResponse:
    """A whole page. *context* may name `viewer`."""
    return HTMLResponse(page_text(request, template, **context), status_code=status)


def page_text(request: Request[Any], template: str, /, **context: Any) -> str:
    """The HTML of a page or of a fragment."""
    state = request.scope["state"]
    catalogue = state.get("catalogue")  # none before the application has started
    common = {
        "product_name": state["settings"].product_name,
        "is_relaxed": not state["settings"].is_factor_required,
        "nonce": state.get("nonce", ""),
        "path": request.url.path,
        "act_label": catalogue.act_labels.of if catalogue else None,
        "viewer": state.get("viewer"),
        "notice": None,
    } | ({"now": now_of(request)} if state.get("desk") else {})
    return rendered(template, **{**common, **context})


def is_fragment(request: Request[State], name: str) -> bool:
    """Whether only the named part of the page is asked for, to replace it in the browser."""
    return request.query_params.get("fragment") == name


async def posted(request: Request[State]) -> FormData:
    """The fields of a posted form, kept for the page that offers to send it again."""
    form = await request.form(max_files=0, max_fields=FORM_FIELDS_MAX)
    request.scope["state"]["posted"] = form_fields(form)
    return form


def form_fields(form: FormData) -> list[tuple[str, str]]:
    """Names and values as they were typed; files are nothing that we ask for."""
    return [(name, value) for name, value in form.multi_items() if isinstance(value, str)]


def key_of(form: FormData, *more: str) -> Key:
    """The idempotency key that the page gave to its form, bound to what was typed into it.

    *more* tells apart the buttons of one form. What was typed of a patient is no part of it: a hash
    of it would stay with the key.

    Raises:
        KeyRequired: The form came without one.
    """
    given = form.get("key")
    if not isinstance(given, str) or not 0 < len(given) <= 60:
        raise KeyRequired
    fields = [pair for pair in form_fields(form) if not pair[0].startswith(PATIENT)]
    body = urlencode(sorted(fields))
    return Key.of(":".join((given, *more)), body.encode())


def see_other(path: str, **query: object) -> RedirectResponse:
    """Go and look there."""
    kept = {name: value for name, value in query.items() if value not in (None, "")}
    return RedirectResponse(f"{path}?{urlencode(kept)}" if kept else path, SEE_OTHER)


def own_path(path: str | None, default: str) -> str:
    """A path of ours that somebody sent, never another site's address."""
    # Browsers leave control characters out of an address: what follows one may be a host.
    is_plain = path is not None and all(ord(sign) > ord(" ") for sign in path)
    if path and is_plain and path.startswith("/") and not path.startswith(("//", "/\\")):
        return path
    return default


def notice_of(request: Request[State], notices: Mapping[str, str]) -> str | None:
    """What has just been done, said once on the page that follows: `?fait=…`."""
    return notices.get(request.query_params.get("fait", ""))
