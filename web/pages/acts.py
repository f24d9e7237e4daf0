"""`/coordination/actes`: the catalogue of acts of a territory, for who coordinates it."""

from dataclasses import dataclass, field
from typing import Final

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response

from slots.act import ActWords, faults
from slots.errors import NotAllowed
from slots.rights import Action
from slots.store import acts as store
from slots.store.acts import RuledAct
from slots.territory import Territory
from slots.territory_settings import Outcome
from slots.transaction import entered
from web.pages.coordinating import coordinator_of, ruling
from web.pages.own_protection import ask_who, is_proved
from web.pages.page import Viewer, notice_of, posted, see_other, show
from web.pages.territory_settings import others_of, record_ruling
from web.state import State

PATH: Final = "/coordination/{}/actes"
TYPED_MAX: Final = 1_000  # characters of a field
VERSION_DIGITS_MAX: Final = 9
NOTICES: Final = {
    "ajoute": "Acte ajouté : il est proposé à la publication, à la recherche et dans l’annuaire.",
    "enregistre": "Acte enregistré. Les écrans ouverts suivent en quelques secondes.",
    "retire": "Acte retiré : on ne le publie plus. Ce qui est publié reste lisible.",
    "remis": "Acte remis : on peut de nouveau le publier.",
}
NO_WORDS: Final = ActWords("", "", prescription_required=False)
TAKEN: Final = "Un acte de ce nom est déjà proposé."
TOO_MANY: Final = "Le catalogue est plein : renommez un acte au lieu d’en ajouter."


@dataclass(frozen=True, slots=True)
class ActForm:
    """What was typed for one act. *code* "": for a new one."""

    code: str = ""
    words: ActWords = NO_WORDS
    errors: dict[str, str] = field(default_factory=dict)
    is_behind: bool = False  # somebody else has changed it meanwhile


async def acts_page(request: Request[State]) -> Response:
    """All acts, and the form that adds one."""
    viewer, territory = await coordinator_of(request, Action.SETTINGS)
    if not await is_proved(request):
        return await ask_who(request, PATH.format(territory.id))
    return await _page(request, viewer, territory, ActForm())


async def add_act(request: Request[State]) -> Response:
    """Add an act; what cannot be accepted is shown beside its field."""
    viewer, territory = await ruling(request, Action.SETTINGS)
    words = _words(await posted(request))
    errors = dict(faults(words))
    if errors:
        return await _page(request, viewer, territory, ActForm("", words, errors), status=422)
    async with entered(request.state["desk"].pool, viewer.account.id, [territory.id]) as conn:
        outcome, code = await store.add_act(conn, territory.id, words)
        if outcome is Outcome.SAVED:
            await record_ruling(conn, viewer, territory, "add", [f"act {code}"])
    return await _answered(request, viewer, territory, ActForm("", words), outcome, "ajoute")


async def change_act(request: Request[State]) -> Response:
    """Other words for an act; or retire it, or offer it again."""
    viewer, territory = await ruling(request, Action.SETTINGS)
    form, now = await posted(request), request.state["desk"].clock.now()
    code, words = request.path_params["code"], _words(form)
    errors = dict(faults(words))
    if errors:
        return await _page(request, viewer, territory, ActForm(code, words, errors), status=422)
    is_offered = form.get("offered") == "yes"
    was_offered = form.get("was_offered") == "yes"
    async with entered(request.state["desk"].pool, viewer.account.id, [territory.id]) as conn:
        outcome = await store.change_act(
            conn, territory.id, code, _version(form), words, now, is_offered=is_offered
        )
        if outcome is Outcome.SAVED:
            verb = "amend" if is_offered == was_offered else "restore" if is_offered else "retire"
            await record_ruling(conn, viewer, territory, verb, [f"act {code}"])
    done = "enregistre" if is_offered == was_offered else "remis" if is_offered else "retire"
    return await _answered(request, viewer, territory, ActForm(code, words), outcome, done)


async def _answered(
    request: Request[State],
    viewer: Viewer,
    territory: Territory,
    form: ActForm,
    outcome: Outcome,
    done: str,
) -> Response:
    match outcome:
        case Outcome.SAVED:
            await request.state["catalogue"].refresh()
            return see_other(PATH.format(territory.id), fait=done)
        case Outcome.TAKEN:
            form = ActForm(form.code, form.words, {"label": TAKEN})
        case Outcome.TOO_MANY:
            form = ActForm(form.code, form.words, {"label": TOO_MANY})
        case Outcome.CHANGED:
            form = ActForm(form.code, form.words, is_behind=True)
        case _:
            raise NotAllowed
    return await _page(request, viewer, territory, form, status=409)


def _words(form: FormData) -> ActWords:
    label, preparation = (
        " ".join(str(form.get(name, "")).split())[:TYPED_MAX] for name in ("label", "preparation")
    )
    return ActWords(label, preparation, form.get("prescription_required") == "yes")


def _version(form: FormData) -> int:
    typed = str(form.get("version", ""))
    is_number = typed.isascii() and typed.isdigit() and len(typed) <= VERSION_DIGITS_MAX
    return int(typed) if is_number else 0


async def _page(
    request: Request[State],
    viewer: Viewer,
    territory: Territory,
    form: ActForm,
    *,
    status: int = 200,
) -> Response:
    now = request.state["desk"].clock.now()
    async with entered(request.state["desk"].pool, viewer.account.id, [territory.id]) as conn:
        acts: list[RuledAct] = await store.acts_to_rule(conn, territory.id, now)
    return show(
        request,
        "acts.html",
        status=status,
        territory=territory,
        others=others_of(request, viewer, territory),
        offered=[act for act in acts if act.retired_at is None],
        retired=[act for act in acts if act.retired_at is not None],
        form=form,
        no_errors={"errors": {}},
        notice=notice_of(request, NOTICES),
    )
