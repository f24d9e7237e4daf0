"""Days and hours in words: what pages and mails say is the same."""

from datetime import UTC, datetime, timedelta

import pytest

from slots import french


@pytest.mark.parametrize(
    ("instant", "said"),
    [
        (datetime(2026, 11, 26, 16, 30, tzinfo=UTC), "jeudi 26 novembre 2026 à 17 h 30"),
        (datetime(2027, 8, 1, 7, 5, tzinfo=UTC), "dimanche 1er août 2027 à 9 h 05"),
        (datetime(2026, 12, 31, 23, 0, tzinfo=UTC), "vendredi 1er janvier 2027 à 0 h"),
    ],
)
def test_an_instant_is_written_as_it_is_said_in_france(instant, said):
    assert french.day_and_hour(instant).replace(french.NBSP, " ") == said


def test_nothing_breaks_inside_an_hour_or_between_day_and_month():
    said = french.day_and_hour(datetime(2026, 11, 26, 16, 30, tzinfo=UTC))

    assert said == "jeudi 26\u00a0novembre 2026 à 17\u00a0h\u00a030"


@pytest.mark.parametrize(
    "utc_hour,said", [(0, "2 h 30 (heure d’été)"), (1, "2 h 30 (heure d’hiver)")]
)
def test_the_hour_that_exists_twice_says_which(utc_hour, said):
    instant = datetime(2026, 10, 25, utc_hour, 30, tzinfo=UTC)

    assert french.hour(instant).replace(french.NBSP, " ") == said


def test_all_days_and_months_have_their_names():
    days = [datetime(2026, 1, 1, 12, tzinfo=UTC) + timedelta(days=ahead) for ahead in range(365)]
    written = [french.day(each).replace(french.NBSP, " ").split() for each in days]

    assert {words[0] for words in written} == set(french.DAYS)
    assert list(dict.fromkeys(words[2] for words in written)) == [*french.MONTHS]
