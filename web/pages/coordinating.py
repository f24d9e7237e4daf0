"""Who coordinates which territory: what every page of the coordination asks first."""

from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from slots.database import BORROW_FOR_S
from slots.errors import NotAllowed
from slots.ids import INSTALLATION, TerritoryId
from slots.rights import Action
from slots.territory import Territory
from slots.transaction import entered
from web.pages.own_protection import TYPED_WITHIN, is_proved
from web.pages.page import Viewer, posted, see_other, viewer_of
from web.refusals import ProofDue
from web.state import State

PATH: Final = "/coordination"


def coordinated_by(viewer: Viewer, action: Action = Action.PEOPLE) -> list[TerritoryId]:
    """The territories of which the viewer may do this: whose people they look after, as a rule."""
    account = viewer.account
    return [number for number in sorted(account.roles) if account.may(action, number)]


async def coordinator_of(
    request: Request[State], action: Action = Action.PEOPLE
) -> tuple[Viewer, Territory]:
    """Who coordinates, and the territory that the address names; the first where it names none.

    Raises:
        NotAllowed: The viewer coordinates nothing, or not that one.
    """
    viewer = await viewer_of(request)
    own = coordinated_by(viewer, action)
    asked = request.path_params.get("territory_id", own[0] if own else None)
    if asked not in own:
        raise NotAllowed
    return viewer, request.state["desk"].territories.by_id[TerritoryId(asked)]


async def ruling(
    request: Request[State], action: Action = Action.PEOPLE
) -> tuple[Viewer, Territory]:
    """Who coordinates, and has shown who they are since the page was opened.

    Raises:
        ProofDue: That was too long ago.
        NotAllowed: As `coordinator_of`.
    """
    await posted(request)  # kept, also where it is refused
    found = await coordinator_of(request, action)
    if not await is_proved(request, TYPED_WITHIN):
        raise ProofDue
    return found


def entered_by(
    request: Request[State],
    viewer: Viewer,
    territory: Territory,
    *,
    within_s: float = BORROW_FOR_S,
) -> Any:
    """The territory, and the installation, which writes to people about their accounts."""
    reached = [territory.id, INSTALLATION]
    return entered(request.state["desk"].pool, viewer.account.id, reached, within_s=within_s)


def back_to(territory: Territory, done: str) -> Response:
    """The people of the territory, with what has just been done."""
    return see_other(f"{PATH}/{territory.id}", fait=done)
