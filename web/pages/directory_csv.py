"""The directory as a table that a French spreadsheet opens as it is, and that runs nothing there. Pure.

RFC 4180 with semicolons, in UTF-8 with a byte order mark: without it Excel takes accents apart.
"""

import csv
import io
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Final

from slots.spreadsheet import BYTE_ORDER_MARK, harmless
from web.pages.french import (
    LANGUAGES,
    PUBLISHING,
    SPECIALTIES,
    phone,
    practitioner_name,
    profession,
)

if TYPE_CHECKING:
    from slots.ids import TerritoryId
    from web.pages.directory import PlaceOfWork

TELLS: Final = {True: "oui", False: "non", None: ""}
COLUMNS: Final = (
    *("Nom", "Profession", "Spécialité", "Compétences", "Actes", "Langues"),
    *("Lieu", "Adresse", "Commune", "Code INSEE", "Distance (km)", "Téléphone"),
    *("De plain-pied", "Parking", "Accès", "Nouveaux patients", "Pour adresser"),
    *("Accepte un patient en plus", "Disponibilités", "Places libres", "Territoire"),
)


def csv_of(places: Iterable["PlaceOfWork"], territories: Mapping["TerritoryId", str]) -> bytes:
    """One line for each place of work. *territories*: their names."""
    table = io.StringIO()
    writer = csv.writer(table, delimiter=";", lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for place in places:
        row = _row(place, territories)
        assert len(row) == len(COLUMNS)
        writer.writerow([harmless(cell) for cell in row])
    return (BYTE_ORDER_MARK + table.getvalue()).encode()


def _row(place: "PlaceOfWork", territories: Mapping["TerritoryId", str]) -> list[str]:
    line = place.line
    location = line.location
    away = "" if place.distance_km is None else f"{place.distance_km:.1f}".replace(".", ",")
    return [
        practitioner_name(line.practitioner) if line.practitioner else line.owner.name,
        profession(line.owner.profession, line.owner.specialty) if line.practitioner else "Service",
        SPECIALTIES.get(line.owner.specialty or "", ""),
        ", ".join(line.skills),
        ", ".join(place.acts),
        ", ".join(LANGUAGES.get(code, code) for code in line.languages),
        location.name,
        line.address,
        location.commune,
        location.insee,
        away,
        phone(location.phone),
        TELLS[line.step_free],
        TELLS[line.parking],
        line.access,
        TELLS[line.new_patients],
        line.referral,
        TELLS[line.accepts_overflow],
        PUBLISHING[place.publishing],
        str(place.offers.free) if place.publishing == "free" else "",
        territories[line.territory_id],
    ]
