"""What leaves the audit is signed, so that it can be trusted without the ledger: Ed25519. Pure.

The key follows from the first of SECRET_KEYS (HKDF, RFC 5869), so that there is none more to keep;
`chrono48 audit key` prints its public half, to be kept where exports are read.
"""

from datetime import UTC, datetime
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from slots.sealing import Sealer

PURPOSE: Final = b"chrono48 audit signature"
SEED_BYTES: Final = 32


def signing_key(sealer: Sealer) -> Ed25519PrivateKey:
    """The installation's key.

    Raises:
        ValueError: There is no SECRET_KEYS to derive it from.
    """
    if not sealer.is_able:
        raise ValueError("SECRET_KEYS is missing, from which the signature's key is made")
    first = next(iter(sealer.keys.values()))
    seed = HKDF(SHA256(), SEED_BYTES, salt=None, info=PURPOSE).derive(first)
    return Ed25519PrivateKey.from_private_bytes(seed)


def public_half(key: Ed25519PrivateKey) -> str:
    """What verifies a signature, in hexadecimal."""
    return key.public_key().public_bytes_raw().hex()


def anchor_words(territory_id: int, position: int, chain_hash: bytes, at: datetime) -> bytes:
    """What an anchor's signature is over."""
    instant = at.astimezone(UTC).isoformat(timespec="microseconds")
    return f"anchor {territory_id} {position} {chain_hash.hex()} {instant}".encode()


def is_signed(public_key: str, signature: bytes, words: bytes) -> bool:
    """Whether the holder of the key has signed these words."""
    try:
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(public_key)).verify(signature, words)
    except (InvalidSignature, ValueError):
        return False
    return True
