"""The lines of a table go through a coordinator's doors: what each makes, changes, or is refused.

The caller opens the transaction, and ends it: with anything refused, or for a preview, it rolls back.
"""

from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Final
from uuid import UUID, uuid4

from slots import queries
from slots.database import Connection
from slots.ids import ScheduleId, TerritoryId
from slots.letters import Letter
from slots.people.findings import Finding, Wrong
from slots.people.table import Line
from slots.people.usual_acts import usual_acts
from slots.store.coordination import delegate_to, write_to_schedule

if TYPE_CHECKING:
    from asyncpg import Record

QUERIES: Final = queries.load("bringing_in.sql")


class Effect(StrEnum):
    """What becomes of something that a line names."""

    NEW = "new"
    CHANGED = "changed"
    SAME = "same"


# The column that an answer of a door is about; where it is none of these, the line's first cell.
COLUMN_OF: Final = {
    Wrong.INSEE_UNKNOWN: "insee",
    Wrong.ACT_UNKNOWN: "acts",
    Wrong.ACTS_NEEDED: "acts",
    Wrong.ORGANISATION_ELSEWHERE: "organisation",
    Wrong.PERSON_ELSEWHERE: "rpps",
    Wrong.RPPS_TAKEN: "rpps",
    Wrong.RPPS_UNKNOWN: "rpps",
    Wrong.RPPS_OF_ACCOUNT: "rpps",
    Wrong.NOT_REGULATION: "role",
    Wrong.OWN_ROLES: "role",
    Wrong.NOBODY: "delegate_of",
    Wrong.FINESS_TAKEN: "finess",
}


@dataclass(slots=True)
class Brought:
    """What became of one line. *touched* are the subjects of the audit, new or changed."""

    line: Line
    effects: dict[str, Effect] = field(default_factory=dict)
    refused: Finding | None = None
    touched: list[tuple[str, UUID]] = field(default_factory=list)

    @property
    def effect(self) -> Effect:
        """Of the line as a whole: new is where its person, or service, is new at its place."""
        found = set(self.effects.values())
        if self.effects.keys() & {
            what for what in ("work", "service", "account") if self.effects.get(what) is Effect.NEW
        }:
            return Effect.NEW
        return Effect.SAME if found <= {Effect.SAME} else Effect.CHANGED

    @property
    def has_new_account(self) -> bool:
        """Whether there is somebody to invite."""
        return self.effects.get("account") is Effect.NEW


@dataclass(frozen=True, slots=True)
class Letters:
    """What leaves: to new accounts, and to those for whom somebody acts from now on."""

    invitation: Letter
    delegated: Callable[[str], Letter]


async def bring_in(
    conn: Connection,
    territory_id: TerritoryId,
    lines: Sequence[Line],
    letters: Letters,
    now: datetime,
    invited: Container[int] = (),
) -> list[Brought]:
    """Write all lines. *invited* are the numbers of those whose new account gets an invitation.

    With anything refused, roll back: what was written is not whole.
    """
    await QUERIES["lock_people"].none(conn)
    writer = _Writer(conn, territory_id, letters, now, invited)
    found = [Brought(line) for line in lines]
    for one in found:
        await writer.line(one)
    # Last, for whom somebody acts may stand on a later line.
    for one in found:
        await writer.delegations(one)
    return found


class _Refused(Exception):
    """A door said no."""

    def __init__(self, wrong: Wrong, detail: str = "") -> None:
        super().__init__(wrong)
        self.wrong = wrong
        self.detail = detail


@dataclass(frozen=True, slots=True)
class _Writer:
    conn: Connection
    territory_id: TerritoryId
    letters: Letters
    now: datetime
    invited: Container[int]
    # Somebody at two places has two lines: the first says what they are called and whom to call.
    first_lines: dict[str, Line] = field(default_factory=dict)
    account_ids: dict[int, UUID] = field(default_factory=dict)  # by line

    async def line(self, one: Brought) -> None:
        """The line's rows."""
        line = one.line
        try:
            place = await self._place(one) if line.place else None
            if line.service:
                assert place is not None
                await self._service(one, place["location_id"])
                return
            practitioner_id = await self._practitioner(one) if line.profession else None
            if practitioner_id and place:
                await self._work(one, practitioner_id, place["location_id"])
            if line.role:
                organisation_id = place["organisation_id"] if place else None
                await self._account(one, organisation_id, practitioner_id)
        except _Refused as refused:
            _refuse(one, refused)

    async def delegations(self, one: Brought) -> None:
        """Whom the line's account acts for."""
        account_id = self.account_ids.get(one.line.line)
        if account_id is None or one.refused:
            return
        try:
            for number in one.line.delegate_of:
                await self._delegation(one, account_id, number)
        except _Refused as refused:
            _refuse(one, refused)

    async def _delegation(self, one: Brought, account_id: UUID, number: str) -> None:
        rows = await QUERIES["schedules_of_number"].many(
            self.conn, territory_id=self.territory_id, number=number, account_id=account_id
        )
        if not rows:
            raise _Refused(Wrong.NOBODY, number)
        for row in rows:
            if row["is_known"]:
                one.effects.setdefault("delegation", Effect.SAME)
                continue
            schedule_id = ScheduleId(row["id"])
            if await delegate_to(self.conn, schedule_id, one.line.email) is None:
                raise _Refused(Wrong.OWN_ROLES)
            letter = self.letters.delegated(one.line.name)
            await write_to_schedule(self.conn, schedule_id, letter, self.now)
            one.effects["delegation"] = Effect.NEW
            one.touched.append(("schedule", schedule_id))

    async def _place(self, one: Brought) -> "Record":
        line = one.line
        row = await QUERIES["put_place"].one(
            self.conn,
            territory_id=self.territory_id,
            name=line.place,
            insee=line.insee,
            address=line.address or None,
            lat=line.lat,
            lon=line.lon,
            phone=line.phone,
            amends_phone=not line.service,  # which has its own
            access=line.access or None,
            step_free=line.step_free,
            parking=line.parking,
            organisation=line.organisation,
            finess="" if line.service else line.finess,
            kind=line.organisation_kind,
        )
        assert row is not None
        _keep(one, "place", "location", row["outcome"], row["location_id"])
        return row

    async def _practitioner(self, one: Brought) -> UUID:
        line = one.line
        row = await QUERIES["put_practitioner"].one(
            self.conn,
            territory_id=self.territory_id,
            practitioner_id=None,
            rpps=line.rpps,
            email=line.email,
            given_name=line.given_name,
            family_name=line.family_name,
            profession=line.profession,
            specialty=line.specialty or None,
            skills=list(line.skills) or None,
            languages=list(line.languages) or None,
        )
        assert row is not None
        return _keep(one, "practitioner", "practitioner", row["outcome"], row["id"])

    async def _work(self, one: Brought, practitioner_id: UUID, location_id: UUID) -> None:
        line = one.line
        row = await QUERIES["put_place_of_work"].one(
            self.conn,
            territory_id=self.territory_id,
            practitioner_id=practitioner_id,
            location_id=location_id,
            new_patients=line.new_patients,
            referral=line.referral or None,
            audience=[word.value for word in line.audience] or None,
            acts=list(line.acts) or None,
            usual_acts=list(usual_acts(line.profession)),
            daily_cap=line.daily_cap,
            overflow=line.overflow,
        )
        assert row is not None
        _keep(one, "work", "practitioner-role", row["outcome"], row["id"])

    async def _service(self, one: Brought, location_id: UUID) -> None:
        line = one.line
        row = await QUERIES["put_service"].one(
            self.conn,
            territory_id=self.territory_id,
            service_id=None,
            location_id=location_id,
            name=line.service,
            finess=line.finess,
            phone=line.phone,
            profession=line.profession,
            specialty=line.specialty,
            rooms=line.rooms,
            new_patients=line.new_patients,
            referral=line.referral or None,
            audience=[word.value for word in line.audience] or None,
            acts=list(line.acts) or None,
            daily_cap=line.daily_cap,
            overflow=line.overflow,
        )
        assert row is not None
        _keep(one, "service", "service", row["outcome"], row["id"])

    async def _account(
        self, one: Brought, organisation_id: UUID | None, practitioner_id: UUID | None
    ) -> None:
        line = one.line
        first = self.first_lines.setdefault(line.email, line)
        letter = self.letters.invitation
        row = await QUERIES["put_member"].one(
            self.conn,
            territory_id=self.territory_id,
            account_id=uuid4(),
            email=line.email,
            name=first.name,
            phone=first.phone,
            organisation_id=organisation_id,
            organisation=line.organisation,
            finess=line.finess,
            kind=line.organisation_kind,
            roles=[role.value for role in line.role],
            practitioner_id=practitioner_id,
            # Of somebody in the directory, the line has the name; and at a place, its telephone.
            amends_name=one.effects.get("practitioner") in (None, Effect.CHANGED),
            amends_phone=not line.place,
            mail_id=uuid4() if line.line in self.invited else None,
            subject=letter.subject,
            body=letter.body,
            at=self.now,
        )
        assert row is not None
        self.account_ids[line.line] = _keep(one, "account", "account", row["outcome"], row["id"])


def _keep(one: Brought, what: str, subject: str, outcome: str, found_id: UUID) -> UUID:
    """Note what a door did.

    Raises:
        _Refused: It did not.
    """
    if outcome not in set(Effect):
        raise _Refused(Wrong(outcome))
    one.effects[what] = Effect(outcome)
    if one.effects[what] is not Effect.SAME:
        one.touched.append((subject, found_id))
    return found_id


def _refuse(one: Brought, refused: _Refused) -> None:
    column = COLUMN_OF.get(refused.wrong, "email")
    value = getattr(one.line, column)
    cell = " + ".join(value) if isinstance(value, tuple) else str(value)
    one.refused = Finding(one.line.line, column, refused.wrong, cell, refused.detail)
