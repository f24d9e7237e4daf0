"""`/coordination`: the people of one territory, for who coordinates it."""

import re
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

import asyncpg
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response

from slots.audience import Role
from slots.errors import NotAllowed
from slots.ids import AccountId
from slots.letters import invitation, joined
from slots.mail_address import is_mail_address
from slots.numbers import luhn_holds, rpps_in
from slots.store import coordination as store
from slots.store import pro_sante_connect as psc_store
from slots.store.audit import record
from slots.store.coordination import Invited, Newcomer
from slots.store.ticket import write_to_account
from slots.territory import Territory
from web.pages.coordinating import (
    PATH,
    back_to,
    coordinated_by,
    coordinator_of,
    entered_by,
    ruling,
)
from web.pages.own_protection import ask_who, is_proved
from web.pages.page import Viewer, notice_of, posted, show
from web.state import State

ROLES: Final = {
    Role.PROFESSIONAL: "Professionnel de l’annuaire",
    Role.DELEGATE: "Délégué (secrétariat)",
    Role.REFERRER: "Orienteur",
    Role.REGULATOR: "Régulateur",
    Role.COORDINATOR: "Coordination",
}
NOTICES: Final = {
    "invite": "Invitation envoyée : le lien est valable 24 heures, et peut être redemandé.",
    "ajoute": "Cette personne avait déjà un compte : elle a maintenant ces rôles ici.",
    "roles": "Rôles enregistrés. Ses écrans ouverts se rechargent.",
    "retire": "Cette personne n’a plus accès au territoire.",
    "dernier": "Le territoire n’aurait plus de coordination : nommez d’abord quelqu’un d’autre.",
    "impossible": "Ces rôles ne peuvent pas être donnés : un professionnel doit figurer dans l’annuaire du territoire, un régulateur travailler pour un Centre 15, et personne ne change ses propres rôles.",
    "invite-rpps": "Invitation envoyée. Le numéro RPPS est inhabituel : vérifiez-le.",
    "ailleurs": "Cette personne travaille aussi dans un autre territoire : elle seule peut changer ses moyens de connexion.",
    "admis": "C’est fait : cette personne entre avec Pro Santé Connect.",
    "non-admis": "Demande refusée.",
    "admission-impossible": "Cette demande est déjà traitée, ou son adresse est celle d’un autre compte.",
    "importe": "Le tableau est importé.",
    "sessions": "Toutes ses sessions sont fermées.",
}
REFUSALS: Final = {
    Invited.RPPS_UNKNOWN: ("rpps", "Personne de l’annuaire du territoire n’a ce numéro."),
    Invited.DISABLED: ("email", "Ce compte a été désactivé par l’administration du service."),
    Invited.RPPS_TAKEN: (
        "rpps",
        "Ce numéro est celui d’un autre compte, ou cette personne travaille dans un autre territoire : l’administration du service peut les relier.",
    ),
    Invited.NOT_REGULATION: (
        "role",
        "Les régulateurs sont ajoutés par l’administration du service, avec leur Centre 15.",
    ),
    Invited.OWN_ROLES: ("email", "Personne ne change ses propres rôles."),
    Invited.SOMEBODY_ELSE: ("email", "Cette adresse est celle d’un autre professionnel."),
}


@dataclass(frozen=True, slots=True)
class InviteForm:
    """What was typed, and what is wrong with it."""

    values: dict[str, str] = field(default_factory=dict)
    roles: frozenset[Role] = frozenset()
    errors: dict[str, str] = field(default_factory=dict)
    warning: str = ""


async def coordination(request: Request[State]) -> Response:
    """The people of a territory and the form that invites one."""
    viewer, territory = await coordinator_of(request)
    if not await is_proved(request):
        return await ask_who(request, f"{PATH}/{territory.id}")
    return await _page(request, viewer, territory, InviteForm())


async def invite(request: Request[State]) -> Response:
    """Invite somebody; what cannot be accepted is shown beside its field."""
    viewer, territory = await ruling(request)
    form = _read(await posted(request))
    if form.errors:
        return await _page(request, viewer, territory, form, status=422)
    newcomer = Newcomer(
        email=form.values["email"].lower(),
        name=form.values["name"],
        phone=form.values["phone"],
        organisation=form.values["organisation"],
        roles=form.roles,
        rpps=rpps_in(form.values["rpps"]),
    )
    try:
        outcome = await _invite(request, viewer, territory, newcomer)
    except asyncpg.UniqueViolationError:  # somebody else invites the same address just now
        outcome = await _invite(request, viewer, territory, newcomer)
    if outcome is Invited.NOT_ALLOWED:
        raise NotAllowed
    if outcome in REFUSALS:
        name, words = REFUSALS[outcome]
        refused = InviteForm(form.values, form.roles, {name: words})
        return await _page(request, viewer, territory, refused, status=409)
    if outcome is Invited.ADDED:
        return back_to(territory, "ajoute")
    return back_to(territory, "invite-rpps" if form.warning else "invite")


async def _invite(
    request: Request[State], viewer: Viewer, territory: Territory, newcomer: Newcomer
) -> Invited:
    product_name = request.state["settings"].product_name
    now = request.state["desk"].clock.now()
    async with entered_by(request, viewer, territory) as conn:
        outcome, account_id = await store.invite(
            conn, territory.id, newcomer, invitation(product_name), now
        )
        if account_id is not None:
            await _record(conn, viewer, territory, "invite", account_id)
        if account_id is not None and outcome is Invited.ADDED:
            await write_to_account(conn, account_id, joined(territory.name, product_name), now)
    return outcome


async def set_roles(request: Request[State]) -> Response:
    """Give one person these roles and no others; none takes them out of the territory."""
    viewer, territory = await ruling(request)
    form = await posted(request)
    account_id = _account_id(request)
    roles = _roles(form) if form.get("withdraw") is None else frozenset()
    now = request.state["desk"].clock.now()
    async with entered_by(request, viewer, territory) as conn:
        done = await store.set_roles(conn, territory.id, account_id, roles, now)
        if done:
            await _record(
                conn, viewer, territory, "set-roles" if roles else "withdraw-person", account_id
            )
    if done is None:
        return back_to(territory, "impossible")
    return back_to(territory, ("roles" if roles else "retire") if done else "dernier")


async def invite_again(request: Request[State]) -> Response:
    """For who has lost everything: nothing that showed who they are counts, and a new link leaves."""
    viewer, territory = await ruling(request)
    await posted(request)
    account_id, now = _account_id(request), request.state["desk"].clock.now()
    letter = invitation(request.state["settings"].product_name)
    async with entered_by(request, viewer, territory) as conn:
        done = await store.invite_again(conn, territory.id, account_id, letter, now)
        if done:
            await _record(conn, viewer, territory, "invite-again", account_id)
    return back_to(territory, "invite" if done else "ailleurs")


async def end_sessions(request: Request[State]) -> Response:
    """End all sessions, keys and screens of one person."""
    viewer, territory = await ruling(request)
    await posted(request)
    account_id, now = _account_id(request), request.state["desk"].clock.now()
    async with entered_by(request, viewer, territory) as conn:
        done = await store.end_sessions_of_person(conn, territory.id, account_id, now)
        if done:
            await _record(conn, viewer, territory, "end-sessions", account_id)
    return back_to(territory, "sessions" if done else "ailleurs")


async def _record(
    conn: Any, viewer: Viewer, territory: Territory, verb: str, subject_id: UUID
) -> None:
    await record(conn, territory.id, viewer.account.id, verb, "account", [subject_id])


def _account_id(request: Request[State]) -> AccountId:
    return AccountId(request.path_params["account_id"])


def _roles(form: FormData) -> frozenset[Role]:
    return frozenset(role for role in Role if role.value in form.getlist("role"))


def _read(form: FormData) -> InviteForm:
    names = ("email", "name", "phone", "organisation", "rpps")
    values = {name: " ".join(str(form.get(name, "")).split())[:200] for name in names}
    roles, errors, warning = _roles(form), {}, ""
    if not is_mail_address(values["email"]):
        errors["email"] = "Une adresse de courriel est attendue, comme prenom.nom@exemple.fr."
    if not values["name"]:
        errors["name"] = "Le prénom et le nom sont attendus."
    if not values["organisation"]:
        errors["organisation"] = "Le lieu d’exercice ou l’organisation est attendu."
    if values["phone"] and not re.fullmatch(r"\+?[0-9 .()-]{6,20}", values["phone"]):
        errors["phone"] = "Un numéro de téléphone est attendu, ou rien."
    if not roles:
        errors["role"] = "Choisissez au moins un rôle."
    try:
        rpps = rpps_in(values["rpps"])
        if Role.PROFESSIONAL in roles and not rpps:
            errors["rpps"] = "Le numéro RPPS d’un professionnel de l’annuaire est attendu."
        elif rpps and not luhn_holds(rpps):
            warning = "Ce numéro RPPS est inhabituel : vérifiez-le."
    except ValueError:
        errors["rpps"] = "Un numéro RPPS a 11 chiffres."
    return InviteForm(values, roles, errors, warning)


async def _page(
    request: Request[State],
    viewer: Viewer,
    territory: Territory,
    form: InviteForm,
    *,
    status: int = 200,
) -> Response:
    async with entered_by(request, viewer, territory) as conn:
        people = await store.people_of(conn, territory.id)
        waiting = await psc_store.admissions(conn, territory.id)
    by_id = request.state["desk"].territories.by_id
    return show(
        request,
        "coordination.html",
        status=status,
        territory=territory,
        territories=[by_id[number] for number in coordinated_by(viewer)],
        people=people,
        waiting=waiting,
        form=form,
        roles=ROLES,
        notice=notice_of(request, NOTICES),
    )
