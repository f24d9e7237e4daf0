import gzip

import pytest

from slots.password import (
    COMMON,
    COMMON_ONE,
    KNOWN_WORDS,
    LENGTH_MAX,
    LENGTH_MIN,
    TOO_LONG,
    TOO_SHORT,
    fault_of,
)

KNOWN = ("Marie Durand-Martin", "marie.durand@cabinet-des-rosiers.fr", "Cabinet des Rosiers")


@pytest.mark.parametrize(
    "password",
    [
        "vent lune tiroir bleu",
        "correct cheval batterie agrafe",
        "une phrase que moi seule connais",
        "kX8!vt2#Qz7p",
        "Marie aime les tomates du jardin",
        "ночь улица фонарь аптека",
        "🐢🐢 lente mais sûre",
    ],
)
def test_a_long_password_of_any_composition_is_taken(password):
    assert fault_of(password, KNOWN) is None


@pytest.mark.parametrize("password", ["", "court", "x" * (LENGTH_MIN - 1), "kX8!vt2#Qz"])
def test_a_short_one_is_refused_whatever_signs_it_has(password):
    assert fault_of(password) == TOO_SHORT


def test_one_longer_than_anybody_types_is_refused():
    phrase = "vent lune tiroir bleu " * 10

    assert fault_of(phrase[: LENGTH_MAX + 1]) == TOO_LONG


@pytest.mark.parametrize(
    "password",
    [
        "password1234",
        "motdepasse2026!",
        "azertyuiop123",
        "123456789012",
        "abcdefghijklmnop",
        "aaaaaaaaaaaaaaaa",
        "bonjourbonjour",
        "Montpellier34!!!",
        "iloveyouiloveyou",
        "2026-secretariat",
    ],
)
def test_a_common_one_is_refused_with_digits_around_it_or_twice(password):
    assert fault_of(password) == COMMON_ONE


@pytest.mark.parametrize(
    "password",
    ["Marie-Durand-2026", "durandmartin34", "CabinetRosiers1", "chrono48chrono", "48hchrono-cpts"],
)
def test_what_everybody_knows_is_refused(password):
    assert fault_of(password, KNOWN) == KNOWN_WORDS


def test_the_3000_most_common_ones_of_our_length_are_refused():
    """ASVS 5.0, 6.2.4: of those that are long enough, not of those that are refused anyway."""
    words = [word for path in COMMON for word in gzip.decompress(path.read_bytes()).split()]
    long = {word.decode() for word in words if len(word) >= LENGTH_MIN}

    assert len(long) > 3_000
    assert [word for word in long if fault_of(word) is None] == []
