"""The back of an envelope: what a department, a region and France ask of the service.

`python -m tests.scale.envelope` prints the table of ARCHITECTURE.md; a test holds the two together.
Change a figure here when a command prints another one, and paste the table anew. Pure.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from math import ceil

# What France asks. The first four are given with the task of scaling out; check before you budget.
CPTS = 1_000
SAMU_CALLS_A_DAY = 125_000
OSNP_CALLS_A_DAY = 16_000  # of these; each ends in a booking here, which is the most there can be
SEARCHES_AN_HOUR = 3_000
SUMMER = 10  # times the population: press kit of the CPTS du Bassin de Thau, "eight to ten"

# What we assume, and nobody has counted yet.
BUSY_HOUR = 0.1  # of a day's calls
BOOKINGS_PER_OSNP_CALL = 2  # as many again by referrers and emergency departments
OFFERS_PER_BOOKING = 3
EVENTS_PER_BOOKING = 2  # held, confirmed
EVENTS_PER_OFFER = 2  # offered, ended
SCREENS_PER_CPTS = 20  # of more than 100 accounts: press kit of Hauts Cantons et Vignobles
SCREENS_PER_CENTRE = 15  # each follows every territory of its department

# What one process can: `make bench`, two cores, ARCHITECTURE.md §7.
BOOKINGS_PER_S = 366
SEARCHES_PER_S = 175  # 5.7 ms each, of 1,000 slots
DELIVERIES_PER_S = 35_000  # 200 sockets within 5.6 ms
# tests/scale/test_many_territories.py: sweep, relay and rebuild each second, revoke and mend more
# seldom, of 1,002 quiet territories.
WORKER_S_PER_TERRITORY = 0.0008  # each second

# What we choose.
USED_AT_MOST = 0.5  # of what a process can: the rest is for a bad minute
SOCKETS_OF_A_PROCESS = 5_000  # so many come back at once where one dies
PROCESSES_AT_LEAST = 2  # of each kind: one may die
POOL_SIZE = 10  # POOL_SIZE_MAX in slots/database.py


@dataclass(frozen=True)
class Place:
    """Where one installation serves."""

    name: str
    territories: int
    centres: int  # Centres 15


PLACES = (
    Place("a department", CPTS // 100, 1),
    Place("a region", CPTS * 8 // 100, 8),
    Place("France", CPTS, 100),
)


@dataclass(frozen=True)
class Need:
    """What the busiest hour of a place asks, a second, and the processes that it takes."""

    place: Place
    times: int = 1  # SUMMER, or 1

    @property
    def searches(self) -> float:
        """As if each call to a SAMU were a search as well."""
        calls = SAMU_CALLS_A_DAY * BUSY_HOUR
        return self._share((SEARCHES_AN_HOUR + calls) / 3_600)

    @property
    def bookings(self) -> float:
        calls = OSNP_CALLS_A_DAY * BUSY_HOUR
        return self._share(calls * BOOKINGS_PER_OSNP_CALL / 3_600)

    @property
    def events(self) -> float:
        offers = self.bookings * OFFERS_PER_BOOKING
        return self.bookings * EVENTS_PER_BOOKING + offers * EVENTS_PER_OFFER

    @property
    def sockets(self) -> int:
        """A summer brings patients, not professionals."""
        return self.place.territories * SCREENS_PER_CPTS + self.place.centres * SCREENS_PER_CENTRE

    @property
    def deliveries(self) -> float:
        """Each event goes to the screens of its territory and of its Centre 15."""
        return self.events * (SCREENS_PER_CPTS + SCREENS_PER_CENTRE)

    @property
    def webs(self) -> int:
        """For the busier of the processor and the sockets."""
        work = (
            self.searches / SEARCHES_PER_S
            + self.bookings / BOOKINGS_PER_S
            + self.deliveries / DELIVERIES_PER_S
        )
        by_sockets = self.sockets / SOCKETS_OF_A_PROCESS
        return max(PROCESSES_AT_LEAST, ceil(work / USED_AT_MOST), ceil(by_sockets) + 1)

    @property
    def worker_load(self) -> float:
        """Of one worker's time: each of them serves every territory."""
        return self.place.territories * WORKER_S_PER_TERRITORY

    @property
    def connections(self) -> int:
        return (self.webs + PROCESSES_AT_LEAST) * POOL_SIZE

    def _share(self, of_france: float) -> float:
        return of_france * self.place.territories / CPTS * self.times


COLUMNS = (
    *("busiest hour of", "territories", "searches/s", "bookings/s", "events/s"),
    *("sockets", "deliveries/s", "web processes", "a worker's time", "PostgreSQL connections"),
)


def table(needs: Iterable[Need]) -> str:
    """Markdown."""
    lines = [f"| {' | '.join(COLUMNS)} |", "|---" * len(COLUMNS) + "|"]
    for need in needs:
        name = need.place.name + (f", summer ×{need.times}" if need.times > 1 else "")
        cells = (
            name,
            f"{need.place.territories:,}",
            f"{need.searches:.2f}",
            f"{need.bookings:.2f}",
            f"{need.events:.1f}",
            f"{need.sockets:,}",
            f"{need.deliveries:,.0f}",
            f"{need.webs}",
            f"{need.worker_load:.0%}",
            f"{need.connections}",
        )
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


NEEDS = tuple(Need(place, times) for place in PLACES for times in (1, SUMMER))

if __name__ == "__main__":
    print(table(NEEDS))
