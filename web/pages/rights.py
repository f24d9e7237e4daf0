"""`/droits`: the matrix of rights, as the code has it."""

from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from slots.audience import Audience
from slots.rights import ALL, MATRIX, Action, Extent, Standing
from web.pages.page import show, viewer_of
from web.state import State

STANDINGS: Final = {
    Standing.PROFESSIONAL: "Professionnel",
    Standing.DELEGATE: "Délégué",
    Standing.REFERRER: "Orienteur",
    Standing.REGULATOR: "Régulateur d’un territoire couvert",
    Standing.COORDINATOR: "Coordination",
    Standing.NEIGHBOUR: "Membre d’un territoire voisin",
    Standing.WALL: "Écran mural",
    Standing.ADMINISTRATOR: "Administration du service",
    Standing.STRANGER: "Tout autre compte",
}
ACTIONS: Final = {
    Action.SEE: "Voir les créneaux",
    Action.BOOK: "Réserver",
    Action.PUBLISH: "Publier, retirer",
    Action.OPEN: "Ouvrir un rendez-vous",
    Action.CANCEL: "L’annuler",
    Action.ANSWER: "Vu, venu, non venu",
    Action.CONTACT: "Coordonnées du patient",
    Action.TELL: "Patient prévenu",
    Action.DIRECTORY: "Lire l’annuaire",
    Action.PEOPLE: "Gérer les personnes",
    Action.SETTINGS: "Régler le territoire",
    Action.AUDIT: "Lire le journal",
    Action.TERRITORIES: "Créer un territoire",
    Action.WORKSTATIONS: "Enregistrer un poste",
}
EXTENTS: Final = {Extent.NOTHING: "—", Extent.OWN: "les siens", Extent.TERRITORY: "oui"}


async def rights(request: Request[State]) -> Response:
    """Who may do what: the same table that decides."""
    await viewer_of(request)
    rows = [
        (words, [said(MATRIX[standing].cell(action)) for action in ACTIONS])
        for standing, words in STANDINGS.items()
    ]
    return show(request, "rights.html", rows=rows, actions=list(ACTIONS.values()))


def said(cell: frozenset[Audience] | Extent) -> str:
    """One cell in words."""
    if isinstance(cell, Extent):
        return EXTENTS[cell]
    if cell == ALL:
        return "tous"
    return ", ".join(audience.value for audience in Audience if audience in cell) or "—"
