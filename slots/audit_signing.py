"""What leaves the audit is signed, so that it can be trusted without the ledger: Ed25519. Pure.

The keys follow from SECRET_KEYS (HKDF, RFC 5869), so that there are none more to keep: the first
signs, and what an older one has signed holds as long as it is there. `chrono48 audit key` prints
the public half, to be kept where exports are read.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from slots.sealing import Sealer

PURPOSE: Final = b"chrono48 audit signature"
SEED_BYTES: Final = 32


def signing_keys(sealer: Sealer) -> list[Ed25519PrivateKey]:
    """The installation's keys, the newest first, which signs; none where it has no SECRET_KEYS."""
    return [
        Ed25519PrivateKey.from_private_bytes(
            HKDF(SHA256(), SEED_BYTES, salt=None, info=PURPOSE).derive(key)
        )
        for key in sealer.keys.values()
    ]


def public_half(key: Ed25519PrivateKey) -> str:
    """What verifies a signature, in hexadecimal."""
    return key.public_key().public_bytes_raw().hex()


def anchor_words(territory_id: int, position: int, chain_hash: bytes, at: datetime) -> bytes:
    """What an anchor's signature is over."""
    instant = at.astimezone(UTC).isoformat(timespec="microseconds")
    return f"anchor {territory_id} {position} {chain_hash.hex()} {instant}".encode()


def is_signed_by_one(public_keys: Iterable[str], signature: bytes, words: bytes) -> bool:
    """Whether the holder of one of the keys has signed these words."""
    return any(is_signed(public_key, signature, words) for public_key in public_keys)


def is_signed(public_key: str, signature: bytes, words: bytes) -> bool:
    """Whether the holder of the key has signed these words."""
    try:
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(public_key)).verify(signature, words)
    except (InvalidSignature, ValueError):
        return False
    return True
