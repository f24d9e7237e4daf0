"""Ids that open something: 256 random bits, of which the ledger keeps only the SHA-256."""

import hashlib
import secrets
from typing import Final

SECRET_ID_BYTES: Final = 32  # 256 bits
SECRET_ID_LENGTH_MAX: Final = 100  # characters; a longer one is not ours


def new_secret_id() -> str:
    """An id that nobody can guess; told once."""
    return secrets.token_urlsafe(SECRET_ID_BYTES)


def hash_of(secret_id: str) -> bytes:
    """What the ledger keeps of it."""
    return hashlib.sha256(secret_id.encode("utf-8", "surrogatepass")).digest()
