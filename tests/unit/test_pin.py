import pytest

from slots.pin import FORMAT, TRIVIAL, fault_of


@pytest.mark.parametrize(
    "pin", ["", "12345", "1234567", "12 456", "12345a", "１２３４５６", "408162\n"]
)
def test_a_pin_is_six_digits(pin):
    assert fault_of(pin) == FORMAT


@pytest.mark.parametrize(
    "pin",
    [
        *("000000", "777777", "123456", "654321", "012345", "567890", "098765"),
        *("121212", "123123", "202612", "199900", "052026", "311987"),
    ],
)
def test_what_everybody_would_guess_first_is_refused(pin):
    assert fault_of(pin) == TRIVIAL


def test_what_others_know_of_its_owner_is_refused():
    assert fault_of("607080", ["0607080910"]) == TRIVIAL
    assert fault_of("607080", ["06 07 08.09 10"]) == TRIVIAL
    assert fault_of("607080", ["0467112233"]) is None


@pytest.mark.parametrize("pin", ["408162", "918273", "004711", "135790"])
def test_others_are_taken(pin):
    assert fault_of(pin) is None
