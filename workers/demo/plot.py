"""What happens in the demo's day, and when: decided before it starts. Pure.

Simulated time is in seconds since 08:00. The slots themselves lie in real time to come.
"""

import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from slots.times import PARIS, rfc3339

DAY_S: Final = 12 * 3600  # 08:00 to 20:00
OPENS, CLOSES = 8, 20  # hours on the wall
SOON: Final = timedelta(minutes=20)
HORIZON: Final = timedelta(hours=47)  # live with a margin
FAR: Final = timedelta(days=13, hours=12)  # within the 14 days that are accepted
FAR_SHARE: Final = 0.12
STEP_MINUTES: Final = 5
HOME_RADIUS_KM: Final = 20


class Scene(StrEnum):
    """One thing that somebody does."""

    OFFER = "offer"
    WITHDRAW = "withdraw"
    BOOK = "book"
    ABANDON = "abandon"
    CANCEL = "cancel"
    MISS = "miss"  # a search that finds nothing
    LOOK = "look"  # a professional sees who comes


# How many of each, and from when to when, in shares of the day.
PLAN: Final = {
    Scene.OFFER: (150, 0.00, 0.85),
    Scene.BOOK: (165, 0.06, 1.00),
    Scene.ABANDON: (32, 0.08, 0.98),
    Scene.CANCEL: (24, 0.20, 1.00),
    Scene.MISS: (18, 0.05, 1.00),
    Scene.WITHDRAW: (16, 0.15, 0.95),
    Scene.LOOK: (20, 0.15, 1.00),
}
EARLY: Final = 1.6  # the power that draws offers towards the morning


@dataclass(frozen=True, slots=True)
class Moment:
    """A scene and its instant, in simulated seconds since 08:00."""

    at_s: float
    scene: Scene


def plot(chance: random.Random) -> list[Moment]:
    """The scenes of one day, in their order."""
    moments = []
    for scene, (number, begins, ends) in PLAN.items():
        for _ in range(number):
            share = chance.random() ** (EARLY if scene is Scene.OFFER else 1)
            moments.append(Moment((begins + share * (ends - begins)) * DAY_S, scene))
    return sorted(moments, key=lambda moment: moment.at_s)


def opening(chance: random.Random, now: datetime, minutes: int) -> datetime:
    """A start for something of this length, in opening hours on the French wall, ahead of us."""
    far = chance.random() < FAR_SHARE
    earliest, latest = (HORIZON, FAR) if far else (SOON, HORIZON)
    while True:
        start = now + earliest + chance.random() * (latest - earliest)
        start -= timedelta(
            minutes=start.minute % STEP_MINUTES,
            seconds=start.second,
            microseconds=start.microsecond,
        )
        wall = start.astimezone(PARIS)
        end = wall + timedelta(minutes=minutes)
        if (
            wall.hour >= OPENS
            and (end.hour, end.minute) <= (CLOSES, 0)
            and end.date() == wall.date()
        ):
            return start


def offer(
    chance: random.Random, schedule_id: str, now: datetime, *, visits: bool
) -> dict[str, Any]:
    """One slot to offer. *visits*: whether they also go to homes and meet remotely."""
    kind = chance.choices(
        ("place", "span", "home", "remote", "wide"),
        (70, 8, 8, 6, 8) if visits else (84, 8, 0, 0, 8),
    )[0]
    minutes = {"span": 120, "home": 45}.get(kind, chance.choice((15, 20, 20, 30)))
    start = opening(chance, now, minutes)
    slot: dict[str, Any] = {
        "schedule_id": schedule_id,
        "starts_at": rfc3339(start),
        "ends_at": rfc3339(start + timedelta(minutes=minutes)),
    }
    match kind:
        case "span":
            slot |= {
                "capacity": chance.randint(3, 6),
                "note": "Sans rendez-vous, par ordre d'arrivée",
            }
        case "home":
            slot |= {
                "modality": "HH",
                "acts": ["home-visit"],
                "area": {"radius_km": HOME_RADIUS_KM},
            }
        case "remote":
            slot |= {"modality": "VR", "acts": ["teleconsultation"]}
        case "wide":
            slot |= {"audience": ["CPTS", "SNP", "PRO"]}
    return slot
