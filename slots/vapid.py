"""The key pair by which push services know us (VAPID, RFC 8292), and the keys of browsers."""

from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from slots.push import AUTH_BYTES, Subscription, base64url, from_base64url

PRIVATE_KEY_BYTES: Final = 32
CURVE: Final = ec.SECP256R1()


def make_private_key() -> str:
    """A new private key: a number, in base64url."""
    number = ec.generate_private_key(CURVE).private_numbers().private_value
    return base64url(number.to_bytes(PRIVATE_KEY_BYTES, "big"))


def public_key(private_key: str) -> str:
    """What a page gives to the browser, so that only we may push to it.

    Raises:
        ValueError: *private_key* is none.
    """
    number = from_base64url(private_key)
    if number is None or len(number) != PRIVATE_KEY_BYTES:
        raise ValueError("a VAPID private key is 32 bytes in base64url")
    key = ec.derive_private_key(int.from_bytes(number, "big"), CURVE)
    point = key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return base64url(point)


def is_a_browsers(subscription: Subscription) -> bool:
    """Whether its keys are such as a push can be encrypted for."""
    point, secret = from_base64url(subscription.p256dh), from_base64url(subscription.auth)
    if point is None or secret is None or len(secret) != AUTH_BYTES:
        return False
    try:
        ec.EllipticCurvePublicKey.from_encoded_point(CURVE, point)
    except ValueError:
        return False
    return True
