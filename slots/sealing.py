"""Secrets at rest: AES-GCM under the installation's keys, bound to the row that they stand in.

`SECRET_KEYS` names the keys, the newest first: `2026:…,2025:…`, each 32 bytes in base64url. The
first one seals; all of them open, so that a key is changed by putting a new one before it. What is
sealed begins with its key's name, and opens only at the place it was sealed for: a row that is
copied over another does not (NIST SP 800-38D; additional data is table, column and row).
"""

import os
import re
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES: Final = 32
NONCE_BYTES: Final = 12
ENTRY: Final = re.compile(r"([a-zA-Z0-9-]{1,20}):([A-Za-z0-9_-]{43})=?")


class Unsealable(Exception):
    """It was sealed under a key that is not there, for another place, or it was changed."""


@dataclass(frozen=True, slots=True)
class Sealer:
    """Seals and opens. Without keys it can do neither: `is_able`."""

    keys: Mapping[str, bytes] = field(repr=False)  # by name, the newest first

    @classmethod
    def of(cls, written: str) -> Self:
        """The keys as SECRET_KEYS has them; none where it is empty.

        Raises:
            ValueError: It makes no sense; the message does not repeat it.
        """
        keys: dict[str, bytes] = {}
        for entry in filter(None, map(str.strip, written.split(","))):
            found = ENTRY.fullmatch(entry)
            if found is None or found[1] in keys:
                raise ValueError("each must be like name:key, a name once, 32 bytes in base64url")
            keys[found[1]] = urlsafe_b64decode(found[2] + "=")
        return cls(keys)

    @property
    def is_able(self) -> bool:
        """Whether there is a key."""
        return bool(self.keys)

    def seal(self, secret: bytes, place: str) -> bytes:
        """*secret* for *place* only: `table.column/row`."""
        name, key = next(iter(self.keys.items()))
        nonce = os.urandom(NONCE_BYTES)
        sealed = AESGCM(key).encrypt(nonce, secret, place.encode())
        return bytes([len(name)]) + name.encode() + nonce + sealed

    def open(self, sealed: bytes, place: str) -> bytes:
        """What was sealed.

        Raises:
            Unsealable: With these keys, or at this place, it does not open.
        """
        start = 1 + sealed[0]
        key = self.keys.get(sealed[1:start].decode("ascii", "replace"))
        if key is None:
            raise Unsealable
        try:
            return AESGCM(key).decrypt(
                sealed[start : start + NONCE_BYTES], sealed[start + NONCE_BYTES :], place.encode()
            )
        except InvalidTag as error:
            raise Unsealable from error


def make_key() -> str:
    """A new key with a name, as SECRET_KEYS takes it."""
    key = urlsafe_b64encode(secrets.token_bytes(KEY_BYTES)).decode().rstrip("=")
    return f"{secrets.token_hex(3)}:{key}"
