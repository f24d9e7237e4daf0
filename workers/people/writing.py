"""Brings the lines of a table into the database: makes what is new, updates what is there.

The caller opens the transaction, and ends it: there are faults that only the database knows.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID, uuid4

from slots import queries
from slots.database import Connection
from slots.people.findings import Finding, Wrong
from slots.people.table import Line
from slots.people.usual_acts import usual_acts
from slots.queries import Query
from workers.people import accounts
from workers.people.accounts import Made


@dataclass(frozen=True, slots=True)
class Ground:
    """What lines refer to and the database has already."""

    territories: dict[str, int]
    communes: dict[str, tuple[float, float]]
    acts: frozenset[tuple[int, str]]

    @classmethod
    async def read(cls, conn: Connection) -> "Ground":
        sql = queries.load("people.sql")
        return cls(
            {row["slug"]: row["id"] for row in await sql["territories"].many(conn)},
            {row["insee"]: (row["lat"], row["lon"]) for row in await sql["communes"].many(conn)},
            frozenset((r["territory_id"], r["code"]) for r in await sql["acts"].many(conn)),
        )

    def faults(self, line: Line) -> list[Finding]:
        """What the line refers to and is not there."""
        if line.territory not in self.territories:
            there = ", ".join(self.territories) or "none: chrono48 territory add"
            wrong = Wrong.TERRITORY_UNKNOWN
            return [Finding(line.line, "territory", wrong, line.territory, there)]
        number = self.territories[line.territory]
        found = []
        if line.insee and line.insee not in self.communes:
            found.append(Finding(line.line, "insee", Wrong.INSEE_UNKNOWN, line.insee))
        found += [
            Finding(line.line, "acts", Wrong.ACT_UNKNOWN, detail=code)
            for code in line.acts
            if (number, code) not in self.acts
        ]
        return found


@dataclass(slots=True)
class Outcome:
    """What came of it. *counts* are by ("new" | "known", what)."""

    faults: list[Finding] = field(default_factory=list)
    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    made: list[Made] = field(default_factory=list)

    def count(self, what: str, *, is_new: bool) -> None:
        self.counts["new" if is_new else "known", what] += 1


async def write(conn: Connection, lines: list[Line], base_url: str, now: datetime) -> Outcome:
    """Write all lines. With faults in the outcome, roll back: what was written is not whole."""
    outcome = Outcome()
    await queries.load("people.sql")["lock_people"].none(conn)
    ground = await Ground.read(conn)
    for line in lines:
        outcome.faults += ground.faults(line)
    if outcome.faults:
        return outcome
    writer = _Writer(conn, ground, outcome, base_url, now)
    acting: list[tuple[Line, UUID]] = []
    for line in lines:
        account_id = await writer.line(line)
        if account_id and line.delegate_of:
            acting.append((line, account_id))
    # Last, for whom somebody acts may stand on a later line.
    for line, account_id in acting:
        await writer.delegations(line, account_id)
    return outcome


@dataclass(frozen=True, slots=True)
class _Writer:
    conn: Connection
    ground: Ground
    outcome: Outcome
    base_url: str
    now: datetime
    # Somebody at two places has two lines; the first says whom to call, and for whom they work.
    first_lines: dict[str, tuple[UUID, Line]] = field(default_factory=dict)

    async def line(self, line: Line) -> UUID | None:
        """The line's rows; the account's id where it has one."""
        place = await self._place(line) if line.place else None
        if line.service:
            assert place is not None
            await self._service(line, place[0])
            return None
        practitioner_id = await self._practitioner(line) if line.profession else None
        if practitioner_id and place:
            await self._practice(line, practitioner_id, place[0])
        if not line.role:
            return None
        organisation_id = place[1] if place else await self._organisation(line)
        return await self._account(line, organisation_id, practitioner_id)

    async def delegations(self, line: Line, account_id: UUID) -> None:
        for number in line.delegate_of:
            rows = await self._sql["schedules_of_number"].many(
                self.conn, territory_id=self._territory(line), number=number
            )
            if not rows:
                found = Finding(line.line, "delegate_of", Wrong.NOBODY, detail=number)
                self.outcome.faults.append(found)
            for row in rows:
                await self._sql["put_delegation"].none(
                    self.conn,
                    account_id=account_id,
                    territory_id=self._territory(line),
                    schedule_id=row["id"],
                )

    async def _place(self, line: Line) -> tuple[UUID, UUID]:
        """The ids of the place and of its organisation."""
        there = await self._sql["location_called"].one(
            self.conn, territory_id=self._territory(line), name=line.place, insee=line.insee
        )
        if there is not None and not line.organisation:
            organisation_id = there["organisation_id"]
        else:
            organisation_id = await self._organisation(line)
        location_id = there["id"] if there is not None else uuid4()
        old = await self._sql["location"].one(self.conn, location_id=location_id)
        lat, lon = self.ground.communes[line.insee]
        if line.lat is not None and line.lon is not None:
            lat, lon = line.lat, line.lon
        elif old is not None:
            lat, lon = old["lat"], old["lon"]
        is_new = await self._sql["put_location"].value(
            self.conn,
            location_id=location_id,
            territory_id=self._territory(line),
            organisation_id=organisation_id,
            name=line.place,
            address=line.address or None,
            insee=line.insee,
            lat=lat,
            lon=lon,
            phone=line.phone,
            access=line.access or None,
            step_free=line.step_free,
            parking=line.parking,
        )
        self.outcome.count("place", is_new=is_new)
        return location_id, organisation_id

    async def _organisation(self, line: Line) -> UUID:
        finess = None if line.service else line.finess or None
        there = None
        if line.organisation or finess:
            there = await self._sql["organisation_called"].one(
                self.conn,
                name=line.organisation,
                finess=finess,
                territory_id=self._territory(line),
            )
        else:
            there = await self._sql["organisation_at"].one(
                self.conn, name=line.place, territory_id=self._territory(line), insee=line.insee
            )
        organisation_id: UUID = there["id"] if there is not None else uuid4()
        is_new = await self._sql["put_organisation"].value(
            self.conn,
            organisation_id=organisation_id,
            name=line.organisation or line.place,
            kind=line.organisation_kind or None,
            phone=line.phone if there is None else None,
            finess=finess,
        )
        self.outcome.count("organisation", is_new=is_new)
        return organisation_id

    async def _practitioner(self, line: Line) -> UUID:
        there = await self._sql["practitioner_of"].one(
            self.conn, rpps=line.rpps or None, email=line.email or None
        )
        practitioner_id: UUID = there["id"] if there is not None else uuid4()
        is_new = await self._sql["put_practitioner"].value(
            self.conn,
            practitioner_id=practitioner_id,
            rpps=line.rpps or None,
            given_name=line.given_name,
            family_name=line.family_name,
            profession=line.profession,
            specialty=line.specialty or None,
            skills=list(line.skills) or None,
            languages=list(line.languages) or None,
        )
        self.outcome.count("practitioner", is_new=is_new)
        return practitioner_id

    async def _practice(self, line: Line, practitioner_id: UUID, location_id: UUID) -> None:
        role_id = await self._sql["put_practitioner_role"].value(
            self.conn,
            role_id=uuid4(),
            territory_id=self._territory(line),
            practitioner_id=practitioner_id,
            location_id=location_id,
            new_patients=line.new_patients,
            referral=line.referral or None,
        )
        await self._schedule(line, role_id=role_id, service_id=None)

    async def _service(self, line: Line, location_id: UUID) -> None:
        territory_id = self._territory(line)
        there = await self._sql["service_called"].value(
            self.conn,
            territory_id=territory_id,
            location_id=location_id,
            name=line.service,
            finess=line.finess or None,
        )
        service_id: UUID = there or uuid4()
        is_new = await self._sql["put_service"].value(
            self.conn,
            service_id=service_id,
            territory_id=territory_id,
            location_id=location_id,
            name=line.service,
            finess=line.finess or None,
            phone=line.phone,
            profession=line.profession or None,
            specialty=line.specialty or None,
            rooms=line.rooms,
            new_patients=line.new_patients,
            referral=line.referral or None,
        )
        self.outcome.count("service", is_new=is_new)
        await self._schedule(line, role_id=None, service_id=service_id)

    async def _schedule(self, line: Line, *, role_id: UUID | None, service_id: UUID | None) -> None:
        territory_id = self._territory(line)
        there = await self._sql["schedule_of"].value(
            self.conn, role_id=role_id, service_id=service_id
        )
        usual = [
            code for code in usual_acts(line.profession) if (territory_id, code) in self.ground.acts
        ]
        if there is None and not line.acts and (service_id or not usual):
            self.outcome.faults.append(Finding(line.line, "acts", Wrong.ACTS_NEEDED))
        is_new = await self._sql["put_schedule"].value(
            self.conn,
            schedule_id=there or uuid4(),
            territory_id=territory_id,
            role_id=role_id,
            service_id=service_id,
            audience=[word.value for word in line.audience] or None,
            acts=list(line.acts) or None,
            usual_acts=usual,
            daily_cap=line.daily_cap,
            accepts_overflow=line.overflow,
        )
        self.outcome.count("schedule", is_new=is_new)

    async def _account(
        self, line: Line, organisation_id: UUID, practitioner_id: UUID | None
    ) -> UUID | None:
        organisation_id, first = self.first_lines.setdefault(line.email, (organisation_id, line))
        person = accounts.Person(line.email, first.name, first.phone, practitioner_id)
        memberships = [(self._territory(line), role) for role in line.role]
        try:
            account_id, made = await accounts.put(
                self.conn, person, organisation_id, memberships, self.base_url, self.now
            )
        except (accounts.Disabled, accounts.SomebodyElse) as refusal:
            is_off = isinstance(refusal, accounts.Disabled)
            wrong = Wrong.DISABLED if is_off else Wrong.SOMEBODY_ELSE
            self.outcome.faults.append(Finding(line.line, "email", wrong, line.email))
            return None
        if made is not None:
            self.outcome.made.append(made)
        if first is line:
            self.outcome.count("account", is_new=made is not None)
        return account_id

    def _territory(self, line: Line) -> int:
        return self.ground.territories[line.territory]

    @property
    def _sql(self) -> Mapping[str, Query]:
        return queries.load("people.sql")
