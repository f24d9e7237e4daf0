"""`/delegations`: who acts for whose schedule; for its owner, and for who coordinates its territory."""

from typing import Any, Final
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from slots.errors import NotAllowed
from slots.ids import AccountId, ScheduleId, TerritoryId
from slots.letters import delegated
from slots.store import coordination as store
from slots.store.appointment import schedule_documents
from slots.store.audit import record
from slots.transaction import entered
from web.pages.coordinating import coordinated_by
from web.pages.own_protection import TYPED_WITHIN, ask_who, is_proved
from web.pages.page import Viewer, notice_of, posted, see_other, show, viewer_of
from web.refusals import ProofDue
from web.state import State

PATH: Final = "/delegations"
NOTICES: Final = {
    "delegue": "C’est fait : cette personne peut agir pour cet agenda, et le journal dira les deux noms.",
    "retire": "Délégation retirée : ses écrans ouverts se rechargent.",
}
NOBODY: Final = "Aucun délégué ni professionnel du territoire n’a cette adresse. La coordination peut l’inviter."


async def delegations(request: Request[State]) -> Response:
    """The schedules whose delegates the viewer may name, each with them."""
    viewer = await viewer_of(request)
    if not await is_proved(request):
        return await ask_who(request, PATH)
    return await _page(request, viewer)


async def delegate(request: Request[State]) -> Response:
    """Let somebody act for a schedule."""
    viewer = await _proved(request)
    form = await posted(request)
    schedule_id = ScheduleId(request.path_params["schedule_id"])
    email = str(form.get("email", "")).strip()[:254]
    async with _entered(request, viewer) as conn:
        own = await store.schedules_of(conn, viewer.account.roles)
        if schedule_id not in await store.delegable(conn, [schedule_id]):
            raise NotAllowed
        account_id = await store.delegate_to(conn, schedule_id, email)
        if account_id is not None:
            names = {
                one.account_id: one.name for one in await store.delegates_of(conn, [schedule_id])
            }
            letter = delegated(names[account_id], request.state["settings"].product_name)
            now = request.state["desk"].clock.now()
            await store.write_to_schedule(conn, schedule_id, letter, now)
            await _record(conn, viewer, own[schedule_id], "delegate", [schedule_id, account_id])
    if account_id is None:
        return await _page(request, viewer, (schedule_id, email), status=422)
    return see_other(PATH, fait="delegue")


async def end_delegation(request: Request[State]) -> Response:
    """Let them act for it no more. Safe to repeat."""
    viewer = await _proved(request)
    await posted(request)
    schedule_id = ScheduleId(request.path_params["schedule_id"])
    account_id = AccountId(request.path_params["account_id"])
    async with _entered(request, viewer) as conn:
        own = await store.schedules_of(conn, viewer.account.roles)
        if schedule_id not in await store.delegable(conn, [schedule_id]):
            raise NotAllowed
        if await store.end_delegation(conn, schedule_id, account_id):
            await _record(
                conn, viewer, own[schedule_id], "end-delegation", [schedule_id, account_id]
            )
    return see_other(PATH, fait="retire")


async def _proved(request: Request[State]) -> Viewer:
    viewer = await viewer_of(request)
    if not await is_proved(request, TYPED_WITHIN):
        raise ProofDue
    return viewer


def _entered(request: Request[State], viewer: Viewer) -> Any:
    account = viewer.account
    return entered(request.state["desk"].pool, account.id, sorted(account.roles))


async def _record(
    conn: Any, viewer: Viewer, territory_id: TerritoryId, verb: str, of: list[UUID]
) -> None:
    """Two rows: the schedule, and the person."""
    for subject, subject_id in zip(("schedule", "account"), of, strict=True):
        await record(conn, territory_id, viewer.account.id, verb, subject, [subject_id])


async def _page(
    request: Request[State],
    viewer: Viewer,
    refused: tuple[ScheduleId, str] | None = None,
    *,
    status: int = 200,
) -> Response:
    account = viewer.account
    async with _entered(request, viewer) as conn:
        found = await store.schedules_of(conn, coordinated_by(viewer))
        own = await store.delegable(conn, {*account.schedules, *found})
        delegates = await store.delegates_of(conn, own)
        documents = await schedule_documents(conn, own)
    if not own:
        raise NotAllowed
    by_schedule: dict[ScheduleId, list[store.Delegate]] = {}
    for one in delegates:
        by_schedule.setdefault(one.schedule_id, []).append(one)
    schedules = sorted(documents.items(), key=lambda item: (item[1].location.name, str(item[0])))
    return show(
        request,
        "delegations.html",
        status=status,
        schedules=schedules,
        delegates=by_schedule,
        refused=refused or (None, ""),
        refusal=NOBODY,
        notice=notice_of(request, NOTICES),
    )
