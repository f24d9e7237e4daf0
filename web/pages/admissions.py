"""Who asks to be let in, known by Pro Santé Connect: the coordinator decides."""

from starlette.requests import Request
from starlette.responses import Response

from slots.store import pro_sante_connect as store
from slots.store.audit import record
from web.pages.coordinating import back_to, entered_by, ruling
from web.pages.page import posted
from web.state import State


async def decide_admission(request: Request[State]) -> Response:
    """Let in somebody whom Pro Santé Connect knows, or not."""
    viewer, territory = await ruling(request)
    form = await posted(request)
    is_let_in = form.get("let_in") == "yes"
    admission_id, now = request.path_params["admission_id"], request.state["desk"].clock.now()
    async with entered_by(request, viewer, territory) as conn:
        waiting = {one.id for one in await store.admissions(conn, territory.id)}
        done = admission_id in waiting and await store.decide_admission(
            conn, admission_id, now, is_let_in=is_let_in
        )
        if done:
            verb = "admit" if is_let_in else "refuse-admission"
            await record(conn, territory.id, viewer.account.id, verb, "admission", [admission_id])
    return back_to(
        territory, ("admis" if is_let_in else "non-admis") if done else "admission-impossible"
    )
