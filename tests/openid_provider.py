"""A small OpenID provider on loopback, as Pro Santé Connect is one: real signatures, real redirects."""

import asyncio
import base64
import contextlib
import hashlib
import json
import secrets
import socket
import time
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import parse_qs, urlencode

import uvicorn
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

CLIENT_ID, CLIENT_SECRET = "chrono48-test", "a-secret-of-the-test-provider"


class OpenIdProvider:
    """Signs in whoever `person` is, at once. *faults*: what it does wrong."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.key = RSAKey.generate_key(2048, {"kid": "one"})
        self.person: dict[str, Any] = {}
        self.faults: set[str] = set()
        self.asked: list[dict[str, str]] = []
        self.signed_out: list[dict[str, str]] = []
        self._codes: dict[str, dict[str, str]] = {}
        self._tokens: dict[str, dict[str, Any]] = {}

    def knows(self, rpps: str, given_name: str, family_name: str, profession: str = "10") -> None:
        """From now on it is this professional who signs in."""
        self.person = {
            "sub": f"f:{rpps}",
            "SubjectNameID": f"8{rpps}",
            "given_name": given_name,
            "family_name": family_name,
            "SubjectRefPro": {"exercices": [{"codeProfession": profession}]},
        }

    @property
    def discovery_url(self) -> str:
        return f"{self.url}/.well-known/openid-configuration"

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/.well-known/openid-configuration", self.discovery),
                Route("/jwks", self.jwks),
                Route("/authorize", self.authorize),
                Route("/token", self.token, methods=["POST"]),
                Route("/userinfo", self.userinfo),
                Route("/logout", self.logout),
            ]
        )

    async def discovery(self, request: Request) -> Response:
        if "away" in self.faults:
            return Response(status_code=503)
        if "page" in self.faults:
            return Response("<h1>En maintenance</h1>", media_type="text/html")
        ends = ("authorization", "token", "userinfo", "end_session")
        paths = ("authorize", "token", "userinfo", "logout")
        return JSONResponse(
            {
                "issuer": "https://elsewhere.example" if "other site" in self.faults else self.url,
                "jwks_uri": f"{self.url}/jwks",
                **{
                    f"{end}_endpoint": f"{self.url}/{path}"
                    for end, path in zip(ends, paths, strict=True)
                },
            }
        )

    async def jwks(self, request: Request) -> Response:
        return JSONResponse({"keys": [self.key.as_dict(private=False)]})

    async def authorize(self, request: Request) -> Response:
        asked = dict(request.query_params)
        self.asked.append(asked)
        code = secrets.token_urlsafe(16)
        self._codes[code] = asked
        state = "another" if "state" in self.faults else asked["state"]
        query = urlencode({"code": code, "state": state})
        return RedirectResponse(f"{asked['redirect_uri']}?{query}", 302)

    async def token(self, request: Request) -> Response:
        form = {
            name: values[0] for name, values in parse_qs((await request.body()).decode()).items()
        }
        asked = self._codes.pop(form.get("code", ""), None)
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        is_good = (
            asked is not None
            and form.get("client_id") == CLIENT_ID
            and form.get("client_secret") == CLIENT_SECRET
            and form.get("redirect_uri") == asked["redirect_uri"]
            and challenge == asked["code_challenge"]
        )
        if not is_good:
            return JSONResponse({"error": "invalid_grant"}, 400)
        access_token = secrets.token_urlsafe(16)
        self._tokens[access_token] = self.person
        return JSONResponse(
            {
                "access_token": access_token,
                "token_type": "Bearer",
                "id_token": self.id_token(asked["nonce"]),
            }
        )

    def id_token(self, nonce: str) -> str:
        now = int(time.time())
        claims: dict[str, Any] = {
            "iss": self.url,
            "sub": self.person["sub"],
            "aud": CLIENT_ID,
            "iat": now,
            "exp": now + 120,
            "nonce": nonce,
            "acr": "eidas1",
        }
        wrong: dict[str, Any] = {
            "issuer": {"iss": "https://elsewhere.example"},
            "audience": {"aud": "somebody-else"},
            "authorized party": {"aud": [CLIENT_ID, "other"], "azp": "other"},
            "nonce": {"nonce": "another"},
            "expired": {"iat": now - 600, "exp": now - 300},
            "acr": {"acr": "eidas0"},
        }
        for fault, changed in wrong.items():
            if fault in self.faults:
                claims |= changed
        if "unsigned" in self.faults:
            parts = ('{"alg":"none"}', json.dumps(claims))
            return ".".join(map(encoded, parts)) + "."
        if "shared secret" in self.faults:  # the client's secret, or our public key, as a key
            return jwt.encode({"alg": "HS256"}, claims, OctKey.import_key(CLIENT_SECRET))
        key = RSAKey.generate_key(2048, {"kid": "one"}) if "other key" in self.faults else self.key
        return jwt.encode({"alg": "RS256", "kid": "one"}, claims, key)

    async def userinfo(self, request: Request) -> Response:
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        told = self._tokens.get(token)
        if told is None:
            return JSONResponse({"error": "invalid_token"}, 401)
        if "other person" in self.faults:
            told = told | {"sub": "f:somebody-else"}
        if "no number" in self.faults:
            told = {name: value for name, value in told.items() if name != "SubjectNameID"}
        if "adeli" in self.faults:
            told = told | {"SubjectNameID": "0349999999"}
        return JSONResponse(told)

    async def logout(self, request: Request) -> Response:
        self.signed_out.append(dict(request.query_params))
        return RedirectResponse(request.query_params["post_logout_redirect_uri"], 302)


def encoded(part: str) -> str:
    return base64.urlsafe_b64encode(part.encode()).rstrip(b"=").decode()


@contextlib.asynccontextmanager
async def openid_provider() -> AsyncIterator[OpenIdProvider]:
    """One, until the end of the block."""
    listening = socket.create_server(("127.0.0.1", 0))
    provider = OpenIdProvider(f"http://127.0.0.1:{listening.getsockname()[1]}")
    config = uvicorn.Config(provider.app(), log_config=None, lifespan="off")
    server = uvicorn.Server(config)
    server.capture_signals = contextlib.nullcontext  # type: ignore[method-assign]
    task = asyncio.create_task(server.serve([listening]))
    try:
        yield provider
    finally:
        server.should_exit = True
        await task
