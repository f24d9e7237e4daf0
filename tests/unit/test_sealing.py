import pytest
from hypothesis import given
from hypothesis import strategies as st

from slots.sealing import Sealer, Unsealable, make_key

OLD, NEW = "2025:" + 42 * "o" + "A", "2026:" + 42 * "n" + "A"  # the same in every process
PLACE = "totp.secret/one"


@given(st.binary(max_size=200))
def test_what_was_sealed_opens_again(secret):
    sealer = Sealer.of(OLD)

    sealed = sealer.seal(secret, PLACE)

    assert sealer.open(sealed, PLACE) == secret
    assert len(secret) < 8 or secret not in sealed


def test_the_same_secret_is_sealed_otherwise_each_time():
    sealer = Sealer.of(OLD)

    assert sealer.seal(b"secret", PLACE) != sealer.seal(b"secret", PLACE)


def test_a_key_is_changed_by_putting_a_new_one_before_it():
    sealed = Sealer.of(OLD).seal(b"secret", PLACE)
    both = Sealer.of(f"{NEW},{OLD}")

    assert both.open(sealed, PLACE) == b"secret"
    anew = both.seal(b"secret", PLACE)
    assert Sealer.of(NEW).open(anew, PLACE) == b"secret"
    with pytest.raises(Unsealable):
        Sealer.of(OLD).open(anew, PLACE)


def test_a_row_that_is_copied_over_another_does_not_open():
    sealed = Sealer.of(OLD).seal(b"secret", PLACE)

    with pytest.raises(Unsealable):
        Sealer.of(OLD).open(sealed, "totp.secret/another")


@given(st.integers(min_value=0), st.integers(min_value=1, max_value=255))
def test_nothing_that_was_changed_opens(position, change):
    sealer = Sealer.of(OLD)
    sealed = bytearray(sealer.seal(b"secret", PLACE))
    sealed[position % len(sealed)] ^= change

    with pytest.raises(Unsealable):
        sealer.open(bytes(sealed), PLACE)


@pytest.mark.parametrize("written", ["x", "a:short", f"{OLD},{OLD}", f"{OLD};{NEW}", ":" + OLD])
def test_keys_that_make_no_sense_are_refused_and_not_repeated(written):
    with pytest.raises(ValueError, match="32 bytes") as refused:
        Sealer.of(written)

    assert OLD.partition(":")[2] not in str(refused.value)


def test_without_keys_there_is_nothing_to_seal_with():
    assert not Sealer.of("").is_able
    assert Sealer.of(OLD).is_able
    assert OLD.partition(":")[2] not in repr(Sealer.of(OLD))


def test_a_made_key_is_one_and_no_other():
    made = make_key()

    assert Sealer.of(made).is_able
    assert made != make_key()
