"""Pro Santé Connect: an OpenID provider that knows every health professional by their RPPS.

Code flow with PKCE (RFC 7636), state and nonce; `acr_values=eidas1`; the ID token's signature by a
fixed list of algorithms, whatever its header says, then its claims (OpenID Connect Core, 3.1.3.7).
Who it is, is `SubjectNameID` of the user info: `8` and the RPPS.
"""

import hmac
import re
import secrets
import ssl
import time
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

import httpx
import msgspec
import structlog
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.jwk import KeySet

from slots.errors import Unavailable
from slots.settings import Settings, is_loopback
from web.refusals import FactorRefused

ALGORITHMS: Final = ("RS256", "ES256", "PS256")  # never none, never a shared secret
ACR: Final = "eidas1"
SCOPE: Final = "openid scope_all"
TIMEOUT_S: Final = 8.0
METADATA_FOR_S: Final = 3600.0
KEYS_AGAIN_AFTER_S: Final = 30.0
LEEWAY_S: Final = 60  # between its clock and ours
ANSWER_BYTES_MAX: Final = 256 * 1024
RPPS_PREFIX: Final = "8"
RPPS_LENGTH: Final = 11
PROFESSION: Final = re.compile(r"[0-9]{2}")  # a code of TRE_G15
SPECIALTY: Final = re.compile(r"SM[0-9]{2}")  # of TRE_R38: what a doctor is qualified in
DOCTOR: Final = "10"

log = structlog.get_logger()


class Asked(msgspec.Struct, frozen=True):
    """What we must remember of a question until its answer; sealed, in a ticket."""

    state: str
    nonce: str
    verifier: str
    after: str


class Metadata(msgspec.Struct, frozen=True):
    """What the provider says of itself (OpenID Connect Discovery, 3)."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    userinfo_endpoint: str
    jwks_uri: str
    end_session_endpoint: str = ""


class Tokens(msgspec.Struct, frozen=True):
    """What the token endpoint answers."""

    access_token: str
    id_token: str


@dataclass(frozen=True, slots=True)
class Professional:
    """Who has signed in there. *id_token* signs them out again."""

    rpps: str
    name: str
    profession: str | None  # TRE_G15
    specialty: str | None  # TRE_R38, of doctors
    id_token: str


class Exercise(msgspec.Struct, frozen=True):
    """One profession that somebody practises, as the provider has it."""

    profession: str = msgspec.field(name="codeProfession", default="")
    specialty: str = msgspec.field(name="codeSavoirFaire", default="")


class Practice(msgspec.Struct, frozen=True):
    """`SubjectRefPro` of the user info, as far as we use it."""

    exercises: list[Exercise] = msgspec.field(name="exercices", default_factory=list)


class ProSanteConnect:
    """One per process; asks the provider for its metadata when first needed, and each hour."""

    def __init__(self, settings: Settings) -> None:
        """Connects with the first question."""
        self._settings = settings
        self._redirect_uri = f"{settings.base_url}/connexion/psc/retour"
        self._metadata: tuple[Metadata, KeySet] | None = None
        self._asked_at_s = 0.0
        self._client: httpx.AsyncClient | None = None

    @property
    def is_offered(self) -> bool:
        """Whether this installation has it."""
        return bool(self._settings.psc_discovery_url)

    async def question(self, after: str, *, is_again: bool = False) -> tuple[str, Asked]:
        """Where to send the browser, and what to remember until it comes back.

        is_again: somebody is to show anew that it is they who stand there.

        Raises:
            Unavailable: The provider does not answer.
        """
        metadata, _ = await self._known()
        asked = Asked(
            state=secrets.token_urlsafe(32),
            nonce=secrets.token_urlsafe(32),
            verifier=secrets.token_urlsafe(32),
            after=after,
        )
        query = {
            "response_type": "code",
            "client_id": self._settings.psc_client_id,
            "redirect_uri": self._redirect_uri,
            "scope": SCOPE,
            "acr_values": ACR,
            "state": asked.state,
            "nonce": asked.nonce,
            "code_challenge": create_s256_code_challenge(asked.verifier),
            "code_challenge_method": "S256",
        }
        if is_again:
            query["prompt"] = "login"  # Core, 3.1.2.1: not by a session that it has still open
        return f"{metadata.authorization_endpoint}?{urlencode(query)}", asked

    async def answer(self, asked: Asked, state: str, code: str) -> Professional:
        """Who it is, of the answer to *asked*.

        Raises:
            FactorRefused: The answer is not to our question, or is not to be trusted.
            Unavailable: The provider does not answer.
        """
        if not hmac.compare_digest(state.encode(), asked.state.encode()) or not code:
            raise FactorRefused
        metadata, keys = await self._known()
        tokens = await self._tokens(metadata, code, asked.verifier)
        try:
            claims = self._claims(tokens, metadata, keys, asked.nonce)
        except FactorRefused:
            # It may sign with a new key since we asked for them.
            metadata, keys = await self._known(KEYS_AGAIN_AFTER_S)
            claims = self._claims(tokens, metadata, keys, asked.nonce)
        told = await self._user_info(metadata, tokens.access_token)
        # User info is no signed word: it must at least be about the same person (Core, 5.3.2).
        if told.get("sub") != claims["sub"]:
            raise FactorRefused
        number = str(told.get("SubjectNameID", ""))
        if not (number.isascii() and number.isdigit() and number.startswith(RPPS_PREFIX)):
            raise FactorRefused
        rpps = number.removeprefix(RPPS_PREFIX)
        if len(rpps) != RPPS_LENGTH:
            raise FactorRefused
        given, family = str(told.get("given_name", "")), str(told.get("family_name", ""))
        name = " ".join(f"{given} {family}".split()) or rpps
        return Professional(rpps, name, *_practised(told), tokens.id_token)

    async def farewell(self, id_token: str) -> str | None:
        """Where to send a browser that signs out, so that it is signed out there too."""
        try:
            metadata, _ = await self._known()
        except Unavailable:
            return None
        if not metadata.end_session_endpoint:
            return None
        query = {
            "id_token_hint": id_token,
            "post_logout_redirect_uri": f"{self._settings.base_url}/connexion",
        }
        return f"{metadata.end_session_endpoint}?{urlencode(query)}"

    async def close(self) -> None:
        """End the connections."""
        if self._client is not None:
            await self._client.aclose()

    async def _known(self, at_most_s: float = METADATA_FOR_S) -> tuple[Metadata, KeySet]:
        if self._metadata is None or time.monotonic() - self._asked_at_s > at_most_s:
            try:
                found = msgspec.json.decode(
                    await self._asked("GET", self._settings.psc_discovery_url), type=Metadata
                )
                self._need_same_issuer(found)
                raw_keys = msgspec.json.decode(await self._asked("GET", found.jwks_uri))
                keys = KeySet.import_key_set(raw_keys)
            except Unavailable:
                raise
            except Exception as error:
                # A page instead of JSON, a refusal, a key of no kind that we know.
                log.warning("psc.metadata", error=type(error).__name__)
                raise Unavailable from error
            self._metadata, self._asked_at_s = (found, keys), time.monotonic()
        return self._metadata

    def _need_same_issuer(self, found: Metadata) -> None:
        # Discovery, 4.3: what answers elsewhere than at its issuer's address is somebody else.
        expected = self._settings.psc_discovery_url.partition("/.well-known/")[0]
        if found.issuer.rstrip("/") != expected.rstrip("/"):
            log.error("psc.issuer", said=found.issuer)
            raise Unavailable

    async def _tokens(self, metadata: Metadata, code: str, verifier: str) -> Tokens:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._redirect_uri,
            "client_id": self._settings.psc_client_id,
            "code_verifier": verifier,
        }
        if self._settings.psc_client_secret:
            form["client_secret"] = self._settings.psc_client_secret
        raw = await self._asked("POST", metadata.token_endpoint, data=form)
        try:
            return msgspec.json.decode(raw, type=Tokens)
        except msgspec.DecodeError as error:
            raise FactorRefused from error

    def _claims(
        self, tokens: Tokens, metadata: Metadata, keys: KeySet, nonce: str
    ) -> dict[str, Any]:
        try:
            token = jwt.decode(tokens.id_token, keys, algorithms=list(ALGORITHMS))
            client_id = self._settings.psc_client_id
            claims = CodeIDToken(
                token.claims,
                token.header,
                options={
                    "iss": {"essential": True, "value": metadata.issuer},
                    "aud": {"essential": True, "value": client_id},
                    "acr": {"essential": True, "value": ACR},
                },
                params={
                    "nonce": nonce,
                    "client_id": client_id,
                    "access_token": tokens.access_token,
                },
            )
            claims.validate(leeway=LEEWAY_S)
        except Exception as error:
            # Not what it said: a token is a secret.
            log.warning("psc.token.refused", error=type(error).__name__)
            raise FactorRefused from error
        return dict(token.claims)

    async def _user_info(self, metadata: Metadata, access_token: str) -> dict[str, Any]:
        headers = {"authorization": f"Bearer {access_token}"}
        raw = await self._asked("GET", metadata.userinfo_endpoint, headers=headers)
        try:
            return msgspec.json.decode(raw, type=dict[str, Any])
        except msgspec.DecodeError as error:
            raise FactorRefused from error

    async def _asked(self, method: str, url: str, **more: Any) -> bytes:
        parts = urlsplit(url)
        if parts.scheme != "https" and not is_loopback(parts.hostname or ""):
            raise Unavailable
        client = self._client = self._client or httpx.AsyncClient(
            timeout=TIMEOUT_S, trust_env=False, follow_redirects=False, verify=self._trust()
        )
        try:
            answer = await client.request(method, url, **more)
        except httpx.HTTPError as error:
            log.warning("psc.away", error=type(error).__name__)
            raise Unavailable from error
        if answer.is_client_error:
            raise FactorRefused  # our code, or our token, is not good there
        if not answer.is_success or len(answer.content) > ANSWER_BYTES_MAX:
            raise Unavailable
        return answer.content

    def _trust(self) -> ssl.SSLContext:
        context = ssl.create_default_context()
        if self._settings.psc_client_certificate:
            context.load_cert_chain(
                self._settings.psc_client_certificate, self._settings.psc_client_key or None
            )
        return context


def _practised(told: dict[str, Any]) -> tuple[str | None, str | None]:
    """Profession and specialty: the first that is told in a code we know the form of."""
    try:
        practice = msgspec.convert(told.get("SubjectRefPro", {}), Practice)
    except msgspec.ValidationError:
        return None, None
    for one in practice.exercises:
        if PROFESSION.fullmatch(one.profession):
            is_told = one.profession == DOCTOR and SPECIALTY.fullmatch(one.specialty)
            return one.profession, one.specialty if is_told else None
    return None, None
