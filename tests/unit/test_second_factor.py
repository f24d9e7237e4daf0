from datetime import UTC, datetime, timedelta

import pyotp
import pytest

from slots.second_factor import (
    RECOVERY_CODES,
    Factor,
    Factors,
    app_address,
    app_step,
    new_app_secret,
    new_recovery_codes,
    recovery_hash,
)

NOW = datetime(2026, 11, 28, 9, 0, 10, tzinfo=UTC)
RFC_SECRET = b"GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"  # RFC 6238, appendix B, in base32


def code_at(instant, secret=RFC_SECRET):
    return pyotp.TOTP(secret.decode()).at(instant)


def test_the_codes_are_those_of_the_standard():
    # RFC 6238, appendix B: at 1970-01-01 00:00:59 the eight digits are 94287082.
    assert app_step(RFC_SECRET, "287082", datetime.fromtimestamp(59, UTC)) == 1


@pytest.mark.parametrize(("drift_s", "step"), [(-60, None), (-30, -1), (0, 0), (30, 1), (60, None)])
def test_a_phones_clock_may_be_half_a_minute_off(drift_s, step):
    current = int(NOW.timestamp()) // 30
    found = app_step(RFC_SECRET, code_at(NOW + timedelta(seconds=drift_s)), NOW)

    assert found == (None if step is None else current + step)


def test_a_code_may_be_typed_in_two_groups():
    code = code_at(NOW)

    assert app_step(RFC_SECRET, f" {code[:3]} {code[3:]}", NOW) == app_step(RFC_SECRET, code, NOW)


@pytest.mark.parametrize(
    "code", ["", "12345", "1234567", "abcdef", "１２３４５６", "000000 000000"]
)
def test_what_is_no_code_is_nobodys(code):
    assert app_step(RFC_SECRET, code, NOW) is None


def test_no_secret_is_anothers():
    assert len({new_app_secret() for _ in range(50)}) == 50
    assert len(new_app_secret()) == 32  # base32 of 160 bits


def test_the_app_reads_whose_account_it_is_and_where():
    address = app_address(RFC_SECRET, "ann@example.test", "48H Chrono")

    assert address.startswith("otpauth://totp/48H%20Chrono:ann%40example.test?secret=GEZDGNBV")
    assert "issuer=48H%20Chrono" in address


def test_recovery_codes_are_many_and_all_different():
    codes = new_recovery_codes()

    assert len(set(codes)) == len(codes) == RECOVERY_CODES


def test_a_recovery_code_is_too_long_to_be_guessed_from_its_plain_hash():
    letters = {len(code.replace("-", "")) for code in new_recovery_codes()}

    assert {count * 5 for count in letters} == {120}  # bits; each letter of base32 has five


def test_a_recovery_code_is_known_however_it_is_typed():
    assert (
        recovery_hash("ABCD-OBI2-3456-7QRS")
        == recovery_hash("abcd 0b12 3456 7qrs")
        == recovery_hash("ABCDO812 34567QRS")
    )
    assert recovery_hash("ABCD-OBI2-3456-7QRS") != recovery_hash("ABCD-OBI2-3456-7QRT")


def factors(**fields):
    usual = {"app_secret": None, "app_added_at": None, "passkeys": 0, "recovery_codes_left": 0}
    return Factors(**(usual | fields), has_password=True)


def test_the_best_factor_comes_first():
    everything = factors(passkeys=2, app_secret=b"x", recovery_codes_left=3)

    assert everything.kinds == (Factor.PASSKEY, Factor.TOTP, Factor.RECOVERY)


def test_recovery_codes_alone_are_no_factor():
    assert factors(recovery_codes_left=10).kinds == ()
    assert factors(app_secret=b"x").kinds == (Factor.TOTP,)
