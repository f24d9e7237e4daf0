"""The ground the demo stands on: communes, two territories, and the places of care in them.

Where each table comes from is in SOURCES.md beside it.
"""

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).parent
COMMUNES_CSV: Final = HERE / "communes.csv"
PLACES_CSV: Final = HERE / "places.csv"


@dataclass(frozen=True, slots=True)
class Commune:
    """A commune of the official geographic code, with its centroid in degrees (WGS 84)."""

    insee: str
    name: str
    postcodes: tuple[str, ...]
    population: int
    lat: float
    lon: float
    territory: str  # slug of a demo territory, or ""


@dataclass(frozen=True, slots=True)
class Territory:
    """One CPTS of the demo."""

    id: int
    slug: str
    name: str
    department: str


@dataclass(frozen=True, slots=True)
class Staff:
    """How many people of one profession (TRE_G15) and specialty (TRE_R38) work at a place."""

    profession: str
    specialty: str | None
    number: int


@dataclass(frozen=True, slots=True)
class Place:
    """Where people work. *key* is unique in all of the demo."""

    territory: str
    key: str
    kind: str  # of its organisation
    name: str
    address: str
    insee: str
    staff: tuple[Staff, ...]


HAUTS_CANTONS: Final = Territory(
    1, "hauts-cantons-et-vignobles", "CPTS Hauts Cantons et Vignobles", "34"
)
BASSIN_DE_THAU: Final = Territory(2, "bassin-de-thau", "CPTS du Bassin de Thau", "34")
TERRITORIES: Final = (HAUTS_CANTONS, BASSIN_DE_THAU)


def communes(path: Path = COMMUNES_CSV) -> list[Commune]:
    """The communes of *path*: insee, name, postcodes (apart by a space), population, lat, lon.

    Raises:
        ValueError: A line does not say what its column asks for.
        KeyError: A column is missing.
    """
    return [
        Commune(
            insee=row["insee"],
            name=row["name"],
            postcodes=tuple(row["postcodes"].split()),
            population=int(row["population"]),
            lat=float(row["lat"]),
            lon=float(row["lon"]),
            territory=row.get("territory", ""),
        )
        for row in _rows(path)
    ]


def places() -> list[Place]:
    """The places of both territories, in the order of the file."""
    return [
        Place(
            territory=row["territory"],
            key=row["key"],
            kind=row["kind"],
            name=row["name"],
            address=row["address"],
            insee=row["insee"],
            staff=tuple(_staff(word) for word in row["staff"].split()),
        )
        for row in _rows(PLACES_CSV)
    ]


def _staff(word: str) -> Staff:
    """`10/SM54:4`: four of profession 10 and specialty SM54."""
    code, number = word.split(":")
    profession, _, specialty = code.partition("/")
    return Staff(profession, specialty or None, int(number))


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
