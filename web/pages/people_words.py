"""What is wrong in a table of people, and what becomes of its lines, in French."""

from typing import Final

from slots.people.columns import HEADINGS
from slots.people.findings import Finding, Wrong
from slots.store.bringing_in import Effect

EFFECTS: Final = {
    Effect.NEW: "nouveau",
    Effect.CHANGED: "changé",
    Effect.SAME: "déjà là",
}
THINGS: Final = {
    "place": "lieu",
    "practitioner": "personne de l’annuaire",
    "work": "exercice",
    "service": "service",
    "account": "compte",
    "delegation": "délégation",
}
# `{detail}` is what there is to choose from, or the bound.
WORDS: Final = {
    Wrong.NOT_TEXT: "Ce n’est pas un fichier de texte : enregistrez-le comme « CSV UTF-8 ».",
    Wrong.BROKEN: "Des guillemets ne se ferment pas.",
    Wrong.TOO_LARGE: "Ce fichier est trop grand : {detail} au plus. Partagez-le en deux.",
    Wrong.TOO_MANY_LINES: "Ce fichier a plus de {detail} lignes : partagez-le en deux.",
    Wrong.UNKNOWN_COLUMN: "Cette colonne est inconnue. Le modèle montre celles qui existent.",
    Wrong.COLUMN_TWICE: "Cette colonne est là deux fois.",
    Wrong.COLUMN_MISSING: "Cette colonne manque.",
    Wrong.TOO_MANY_CELLS: "Cette ligne a plus de cellules que de colonnes ({detail}).",
    Wrong.NOT_AN_ADDRESS: "Une adresse de courriel est attendue, comme prenom.nom@exemple.fr.",
    Wrong.NOT_AN_RPPS: "Un numéro RPPS a 11 chiffres.",
    Wrong.ROUNDED: "Le tableur a arrondi ce numéro : mettez la colonne au format texte.",
    Wrong.NOT_A_FINESS: "Un numéro FINESS a 9 chiffres ou lettres.",
    Wrong.NOT_AN_INSEE_CODE: "Un code INSEE de commune a 5 caractères, comme 34028.",
    Wrong.NOT_A_SPECIALTY: "Un code de spécialité est attendu, comme SM54.",
    Wrong.NOT_A_PHONE: "Un numéro de téléphone est attendu.",
    Wrong.NOT_A_LANGUAGE: "Un code de langue est attendu, comme fr.",
    Wrong.TOO_LONG: "C’est trop long : {detail} caractères au plus.",
    Wrong.NOT_ONE_OF: "Il faut l’un de ceux-ci : {detail}.",
    Wrong.NOT_WITHIN: "Un nombre est attendu, {detail}.",
    Wrong.NOT_DEGREES: "Des degrés sont attendus, comme 43,61266.",
    Wrong.NEITHER_YES_NOR_NO: "Oui ou non est attendu.",
    Wrong.NEEDED: "Cette cellule est attendue.",
    Wrong.NEEDED_WITH_PLACE: "Cette cellule est attendue pour un lieu.",
    Wrong.NEEDED_WITH_SERVICE: "Cette cellule est attendue pour un service.",
    Wrong.NEEDED_WITH_ROLE: "Cette cellule est attendue avec un rôle.",
    Wrong.NEEDED_WITH_EMAIL: "Un rôle est attendu avec une adresse de courriel.",
    Wrong.NEEDED_WITH_RPPS: "Une profession est attendue avec un RPPS.",
    Wrong.NEEDED_FOR_PROFESSIONAL: "Cette cellule est attendue pour un professionnel.",
    Wrong.ROLE_OR_PROFESSION: "Il faut un rôle ou une profession.",
    Wrong.RPPS_OR_EMAIL: "Sans courriel, il faut un RPPS : rien d’autre ne distingue cette personne.",
    Wrong.ORGANISATION_OR_PLACE: "Avec un rôle, il faut une organisation ou un lieu.",
    Wrong.ONLY_DOCTORS: "Seuls les médecins ont une spécialité.",
    Wrong.ONLY_DELEGATES: "Seul un délégué agit pour d’autres.",
    Wrong.ONLY_SERVICES: "Seul un service a des salles.",
    Wrong.ONLY_DIRECTORY: "On n’adresse qu’à qui figure dans l’annuaire.",
    Wrong.NO_PERSON: "La ligne d’un service ne porte personne.",
    Wrong.NEEDS_PLACE: "Il faut un lieu pour le dire.",
    Wrong.LAT_WITH_LON: "Latitude et longitude vont ensemble.",
    Wrong.TERRITORY_UNKNOWN: "Ce territoire est inconnu.",
    Wrong.OTHER_TERRITORY: "Cette ligne est d’un autre territoire.",
    Wrong.INSEE_UNKNOWN: "Aucune commune n’a ce code.",
    Wrong.ACT_UNKNOWN: "Un de ces actes n’est pas au catalogue du territoire.",
    Wrong.ACTS_NEEDED: "Des actes sont attendus : ce qui est proposé ici ne se devine pas.",
    Wrong.NOBODY: "Personne dans le territoire n’a d’agenda sous le numéro {detail}.",
    Wrong.DISABLED: "Ce compte a été désactivé par l’administration du service.",
    Wrong.WITHDRAWN: "L’accès de cette personne a été retiré : invitez-la depuis la page de la coordination.",
    Wrong.SOMEBODY_ELSE: "Cette adresse est celle d’un autre professionnel.",
    Wrong.ORGANISATION_ELSEWHERE: "Cette organisation travaille aussi hors du territoire : l’administration du service peut la changer.",
    Wrong.PERSON_ELSEWHERE: "Cette personne travaille dans un autre territoire : l’administration du service peut la relier ou la changer.",
    Wrong.ACCOUNT_ELSEWHERE: "Ce compte est aussi d’un autre territoire : invitez cette personne depuis la page de la coordination ; elle seule change son nom.",
    Wrong.ACCOUNT_UNTIED: "Ce compte n’est relié à personne de l’annuaire : l’administration du service peut les relier.",
    Wrong.RPPS_TAKEN: "Ce numéro est celui d’une autre personne, ou de quelqu’un qui a déjà un compte.",
    Wrong.RPPS_OF_ACCOUNT: "Cette personne a un compte, qui s’ouvre aussi avec son RPPS : l’administration du service peut le changer.",
    Wrong.RPPS_UNKNOWN: "Un professionnel doit figurer dans l’annuaire du territoire.",
    Wrong.FINESS_TAKEN: "Ce numéro est celui d’un autre service du territoire.",
    Wrong.NOT_REGULATION: "La régulation est ajoutée par l’administration du service.",
    Wrong.OWN_ROLES: "Personne ne change ses propres rôles ni ses propres délégations.",
    Wrong.NOT_ALLOWED: "Cela n’est pas de ce territoire.",
    Wrong.STILL_TO_COME: "Des créneaux ou des rendez-vous sont encore à venir à ce lieu.",
    Wrong.TWO_PEOPLE: "Ces deux fiches ne sont pas clairement celles d’une même personne : nom, profession ou RPPS diffèrent.",
    Wrong.TWO_ACCOUNTS: "Chacune des deux fiches a un compte : réunissez d’abord les comptes, ou retirez l’accès de l’un.",
    Wrong.ACCOUNT_IN_USE: "Le compte à fermer a déjà servi : gardez celui-là, ou retirez-lui l’accès.",
    Wrong.OVERLAP: "Ces deux fiches ont eu des créneaux au même moment : ce sont peut-être deux personnes.",
    Wrong.LUHN: "Numéro inhabituel, sa clé de contrôle ne correspond pas : vérifiez-le.",
    Wrong.OF_NOBODY: "Ce délégué n’agit encore pour personne.",
}
assert set(WORDS) == set(Wrong)


def words_of(finding: Finding) -> str:
    """The sentence, without where."""
    return WORDS[finding.wrong].format(detail=finding.detail)


def heading(column: str) -> str:
    """What a column is called; the file as a whole has none."""
    return HEADINGS.get(column, column if column != "file" else "Fichier")
