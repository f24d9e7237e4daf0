"""What shows, beside a password, who somebody is: an app's code, a passkey, a recovery code. Pure.

The app's codes are RFC 6238's with its defaults (SHA-1, 6 digits, 30 s), the only ones that every
app understands; each step is good once (§5.2), and so is each recovery code.
"""

import hashlib
import re
import secrets
from base64 import b32encode
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

import pyotp

DRIFT_STEPS: Final = 1  # 30 s: how far the phone's clock may be from ours
RECOVERY_CODES: Final = 10
RECOVERY_CODE_BYTES: Final = 15  # 120 bits: from 112 on a plain hash is enough (ASVS 5.0, 6.5.2)
APP_CODE: Final = re.compile(r"[0-9]{6}")


class Factor(StrEnum):
    """What can be asked for beside the password."""

    TOTP = "totp"
    PASSKEY = "passkey"
    RECOVERY = "recovery"


class Proof(StrEnum):
    """How somebody showed who they are; all but the first include a second factor."""

    PASSWORD = "password"  # noqa: S105 - a word, not one of somebody's
    TOTP = "totp"
    RECOVERY = "recovery"
    PASSKEY = "passkey"
    PSC = "psc"  # Pro Santé Connect, which asks for two factors by itself (eIDAS substantial)
    WORKSTATION = "workstation"  # a password, at a PC of a regulation room: enough for a shift


@dataclass(frozen=True, slots=True)
class Factors:
    """What an account can show. *app_secret* is sealed."""

    app_secret: bytes | None
    app_added_at: datetime | None
    passkeys: int
    recovery_codes_left: int
    has_password: bool

    @property
    def kinds(self) -> tuple[Factor, ...]:
        """What may be asked for, the best first; nothing where the account has only a password."""
        kinds = []
        if self.passkeys:
            kinds.append(Factor.PASSKEY)
        if self.app_secret is not None:
            kinds.append(Factor.TOTP)
        if kinds and self.recovery_codes_left:
            kinds.append(Factor.RECOVERY)
        return tuple(kinds)


def new_app_secret() -> bytes:
    """160 random bits (RFC 4226 §4), as an app takes them: base32."""
    return pyotp.random_base32().encode()


def app_step(secret: bytes, code: str, now: datetime) -> int | None:
    """The step of 30 s whose code this is, now or one before or after; None where it is none's."""
    digits = "".join(code.split())
    if not APP_CODE.fullmatch(digits):
        return None
    app = pyotp.TOTP(secret.decode())
    current = app.timecode(now)
    steps = range(current - DRIFT_STEPS, current + DRIFT_STEPS + 1)
    # All are compared, whatever is found: the time it takes says nothing.
    found = [step for step in steps if secrets.compare_digest(app.generate_otp(step), digits)]
    return found[0] if found else None


def app_address(secret: bytes, email: str, issuer: str) -> str:
    """The `otpauth:` address that the app reads from a QR code."""
    return pyotp.TOTP(secret.decode()).provisioning_uri(name=email, issuer_name=issuer)


def new_recovery_codes() -> list[str]:
    """Codes to print or write down, in groups of four."""
    return [
        _grouped(b32encode(secrets.token_bytes(RECOVERY_CODE_BYTES)).decode())
        for _ in range(RECOVERY_CODES)
    ]


def recovery_hash(code: str) -> bytes:
    """What the ledger keeps of one, however it was typed: small letters, spaces, no hyphens."""
    plain = re.sub(
        r"[^A-Z2-7]", "", code.upper().replace("0", "O").replace("1", "I").replace("8", "B")
    )
    return hashlib.sha256(plain.encode()).digest()


def _grouped(code: str) -> str:
    return "-".join(re.findall("....", code))
