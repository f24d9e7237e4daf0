"""What somebody publishes as a rule, and what they published last week."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from slots.booking.offers import OFFERS_PER_REQUEST_MAX
from slots.ids import ScheduleId, SlotId
from slots.store.past_offer import PastOffer
from slots.times import PARIS
from web.pages import habits, offer_form
from web.pages.habits import Taken, Usual

NOW = datetime(2026, 11, 24, 9, 2, tzinfo=UTC)  # a Tuesday, 10 h 02 in France
HERE, THERE, OTHERS, SERVICE = (ScheduleId(uuid4()) for _ in range(4))
ANN, BOB = uuid4(), uuid4()
PEOPLE = {HERE: ANN, THERE: ANN, OTHERS: BOB, SERVICE: None}
DAY, WEEK = timedelta(days=1), timedelta(weeks=1)


def at(day: str, hour: str) -> datetime:
    return datetime.fromisoformat(f"{day}T{hour}").replace(tzinfo=PARIS).astimezone(UTC)


def offered(starts_at: datetime, minutes: int = 15, place=HERE, capacity=1) -> PastOffer:
    return PastOffer(
        SlotId(uuid4()),
        place,
        starts_at,
        starts_at + timedelta(minutes=minutes),
        capacity,
        *("AMB", None, ("consultation",), ("CPTS",), None),
    )


def weekly(day: str, hour: str, weeks: int = 3, **more) -> list[PastOffer]:
    last = at(day, hour)
    return [offered(last - number * WEEK, **more) for number in range(weeks)]


def titles(past) -> list[str]:
    likely = habits.likely_moments(past, NOW)
    return [preset.title for preset in offer_form.presets(NOW, [], 15, likely)]


def test_two_thursdays_are_a_habit_and_one_is_not():
    assert habits.likely_moments(weekly("2026-11-19", "12:30", weeks=1), NOW) == []
    assert habits.likely_moments(weekly("2026-11-19", "12:30", weeks=2), NOW) == [
        at("2026-11-26", "12:30")
    ]


def test_the_surest_habits_become_presets_beside_now():
    past = [
        *weekly("2026-11-17", "18:30", weeks=5),
        *weekly("2026-11-18", "08:15", weeks=4),
        *weekly("2026-11-19", "12:30", weeks=2),
    ]

    presets = offer_form.presets(NOW, [], 15, habits.likely_moments(past, NOW))

    assert [(one.title, one.starts_at) for one in presets] == [
        ("Maintenant", datetime(2026, 11, 24, 9, 5, tzinfo=UTC)),
        ("Ce soir", at("2026-11-24", "18:30")),
        ("Demain matin", at("2026-11-25", "08:15")),
    ]


def test_every_evening_of_the_week_makes_no_sunday():
    evenings = [offered(at("2026-11-23", "18:00") - number * DAY) for number in range(14)]
    past = [one for one in evenings if one.starts_at.weekday() < 5]
    saturday = datetime(2026, 11, 28, 9, 0, tzinfo=UTC)

    assert habits.likely_moments(past, saturday) == [at("2026-11-30", "18:00")]


def test_a_few_minutes_make_no_other_habit():
    past = [*weekly("2026-11-17", "18:05", weeks=2), offered(at("2026-11-03", "17:55"))]

    assert titles(past) == ["Maintenant", "Ce soir", "Demain matin"]
    assert habits.likely_moments(past, NOW) == [at("2026-11-24", "18:05")]


def test_a_habit_that_is_published_already_gives_way_to_a_default():
    past = weekly("2026-11-17", "18:30")
    taken = [(at("2026-11-24", "18:30"), at("2026-11-24", "18:45"))]

    presets = offer_form.presets(NOW, taken, 15, habits.likely_moments(past, NOW))

    assert [one.starts_at for one in presets][1:] == [
        at("2026-11-24", "18:00"),
        at("2026-11-25", "09:00"),
    ]


def test_a_habit_keeps_its_hour_on_the_wall_when_the_clocks_change():
    past = weekly("2026-10-22", "12:30", weeks=3)
    after = datetime(2026, 10, 28, 9, 0, tzinfo=UTC)  # winter time began on the 25th

    assert habits.likely_moments(past, after) == [at("2026-10-29", "12:30")]


def test_a_form_begins_as_most_slots_are():
    past = [offered(NOW - DAY, 10), offered(NOW - 2 * DAY, 10), offered(NOW - 3 * DAY, 120)]

    assert habits.usual(past) == Usual(duration_min=10, capacity=1)
    assert habits.usual([]) is None


def test_the_place_is_the_one_of_this_weekday():
    past = [*weekly("2026-11-17", "09:00", place=THERE, weeks=2), *weekly("2026-11-18", "09:00")]

    assert habits.usual_place(past, NOW) == THERE
    assert habits.usual_place([], NOW) is None


def test_last_week_comes_again_a_week_later():
    past = [
        offered(at("2026-11-19", "14:00"), 120, capacity=4),
        offered(at("2026-11-18", "12:15")),
        offered(at("2026-11-17", "10:02")),  # its hour has just passed
        offered(at("2026-11-16", "12:15")),  # a week before last
    ]

    again = habits.as_last_week(past, [], PEOPLE, NOW)

    assert [(one.starts_at, one.ends_at) for one in again] == [
        (at("2026-11-25", "12:15"), at("2026-11-25", "12:30")),
        (at("2026-11-26", "14:00"), at("2026-11-26", "16:00")),
    ]
    assert [day.day for day, _ in habits.by_day(again)] == [25, 26]


def test_what_is_published_already_does_not_come_again():
    past = [offered(at("2026-11-18", "12:15"))]
    taken = [Taken(THERE, at("2026-11-25", "12:20"), at("2026-11-25", "12:40"))]

    assert habits.as_last_week(past, taken, PEOPLE, NOW) == []


def test_a_secretarys_two_doctors_are_not_in_each_others_way():
    past = [offered(at("2026-11-18", "12:15")), offered(at("2026-11-18", "12:15"), place=OTHERS)]
    taken = [Taken(OTHERS, at("2026-11-25", "12:15"), at("2026-11-25", "12:30"))]

    both = habits.as_last_week(past, [], PEOPLE, NOW)
    assert {one.offer.schedule_id for one in both} == {HERE, OTHERS}
    [left] = habits.as_last_week(past, taken, PEOPLE, NOW)
    assert left.offer.schedule_id == HERE


def test_two_rooms_of_a_service_come_again_unless_that_moment_is_published():
    past = [offered(at("2026-11-18", "09:00"), place=SERVICE) for _ in range(2)]
    taken = [Taken(SERVICE, at("2026-11-25", "09:00"), at("2026-11-25", "09:15"))]

    assert len(habits.as_last_week(past, [], PEOPLE, NOW)) == 2
    assert habits.as_last_week(past, taken, PEOPLE, NOW) == []


def test_no_more_comes_again_than_one_request_may_offer():
    past = [offered(NOW - DAY + timedelta(minutes=15 * number)) for number in range(60)]

    assert len(habits.as_last_week(past, [], PEOPLE, NOW)) == OFFERS_PER_REQUEST_MAX


@pytest.mark.parametrize(
    "now,last,expected",
    [
        # The hour that exists twice is the first; the one that does not exist is left out.
        ("2026-10-21T12:00", ("2026-10-18", "02:30"), datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),
        ("2027-03-24T12:00", ("2027-03-21", "02:30"), None),
    ],
)
def test_last_week_and_the_nights_of_the_clocks(now, last, expected):
    again = habits.as_last_week(
        [offered(at(*last))], [], PEOPLE, datetime.fromisoformat(now).replace(tzinfo=UTC)
    )

    assert [one.starts_at for one in again] == ([expected] if expected else [])
