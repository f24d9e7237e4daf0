"""Passkeys: what a browser is asked, and whether its answer is good (W3C Web Authentication)."""

from typing import Any
from urllib.parse import urlsplit

import webauthn
from starlette.requests import Request
from webauthn.helpers import base64url_to_bytes
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from slots.ids import AccountId
from slots.settings import Settings, is_loopback
from slots.store.factor import KnownPasskey, Passkey
from web.refusals import FactorRefused


def relying_party(request: Request[Any]) -> str | None:
    """The name that passkeys are bound to: the host that the page has; None where it is an address.

    Browsers make no passkey for an IP address; the guards let only hosts of ours through.
    """
    host = request.url.hostname or ""
    is_address = host != "localhost" and (is_loopback(host) or host.replace(".", "").isdigit())
    return None if is_address else host


def question(
    request: Request[Any], challenge: bytes, passkeys: list[Passkey], *, alone: bool
) -> str:
    """What `navigator.credentials.get` takes, as JSON. *alone*: no password was shown before.

    Raises:
        FactorRefused: The page is open at an address, where there are no passkeys.
    """
    options = webauthn.generate_authentication_options(
        rp_id=_party(request),
        challenge=challenge,
        allow_credentials=_descriptors(passkeys),
        user_verification=_verification(alone=alone),
    )
    return webauthn.options_to_json(options)


def invitation(
    request: Request[Any],
    challenge: bytes,
    account_id: AccountId,
    email: str,
    name: str,
    passkeys: list[Passkey],
) -> str:
    """What `navigator.credentials.create` takes, as JSON, for one more passkey of this account.

    Raises:
        FactorRefused: As `question`.
    """
    options = webauthn.generate_registration_options(
        rp_id=_party(request),
        rp_name=request.state["settings"].product_name,
        user_id=account_id.bytes,
        user_name=email,
        user_display_name=name,
        challenge=challenge,
        # Found without an address being typed, and opened by a finger, a face or a PIN: it is two
        # factors in one, and enough alone.
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED,
            user_verification=UserVerificationRequirement.REQUIRED,
        ),
        exclude_credentials=_descriptors(passkeys),
    )
    return webauthn.options_to_json(options)


def made(
    request: Request[Any], credential: dict[str, Any], challenge: bytes
) -> tuple[bytes, bytes, int]:
    """A new passkey's id, public key and count of signatures.

    Raises:
        FactorRefused: The answer is not to our question.
    """
    try:
        verified = webauthn.verify_registration_response(
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=_party(request),
            expected_origin=_origin(request),
            require_user_verification=True,
        )
    except Exception as error:
        raise FactorRefused from error
    return verified.credential_id, verified.credential_public_key, verified.sign_count


def credential_id_of(credential: dict[str, Any]) -> bytes:
    """Which passkey answers.

    Raises:
        FactorRefused: It does not say.
    """
    try:
        return base64url_to_bytes(str(credential["rawId"]))
    except (KeyError, ValueError) as error:
        raise FactorRefused from error


def shown(
    request: Request[Any],
    credential: dict[str, Any],
    challenge: bytes,
    known: KnownPasskey,
    *,
    alone: bool,
) -> int:
    """The passkey's new count of signatures, where its answer is good.

    Raises:
        FactorRefused: It is not: another challenge, origin, host or key, or a copy of the key.
    """
    try:
        verified = webauthn.verify_authentication_response(
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=_party(request),
            expected_origin=_origin(request),
            credential_public_key=known.public_key,
            credential_current_sign_count=known.sign_count,
            require_user_verification=alone,
        )
        handle = base64url_to_bytes(str(credential["response"].get("userHandle") or ""))
    except Exception as error:
        raise FactorRefused from error
    # Where the browser says whose passkey it is, it must be whose we think it is.
    if (alone or handle) and handle != known.account_id.bytes:
        raise FactorRefused
    return verified.new_sign_count


def _party(request: Request[Any]) -> str:
    party = relying_party(request)
    if party is None:
        raise FactorRefused
    return party


def _origin(request: Request[Any]) -> str:
    settings: Settings = request.state["settings"]
    return f"{urlsplit(settings.base_url).scheme}://{request.headers['host'].lower()}"


def _verification(*, alone: bool) -> UserVerificationRequirement:
    required, preferred = (
        UserVerificationRequirement.REQUIRED,
        UserVerificationRequirement.PREFERRED,
    )
    return required if alone else preferred


def _descriptors(passkeys: list[Passkey]) -> list[PublicKeyCredentialDescriptor]:
    return [PublicKeyCredentialDescriptor(id=passkey.credential_id) for passkey in passkeys]
