"""How a push leaves: encrypted for one browser (RFC 8291), signed by us (RFC 8292), to its push service."""

import logging
import time
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Final
from urllib.parse import urlsplit

import httpx
import msgspec
from py_vapid import Vapid
from pywebpush import WebPusher

from slots.push import Notice, Push, Subscription, is_push_service
from slots.settings import Settings

PUSH_TIMEOUT_S: Final = 10.0  # of one push service's answer
SIGNED_FOR_S: Final = 12 * 3600  # seconds; push services take up to a day
TTL_MAX_S: Final = 24 * 3600  # how long a phone that is off may still be told
ENCODING: Final = "aes128gcm"


class NotAPushService(ValueError):
    """A push may not be sent there (any more)."""


@dataclass(frozen=True, slots=True)
class Courier:
    """Who we are to push services, and the way there. One per process."""

    vapid: Vapid
    contact: str  # whom a push service may write to about us
    services: tuple[str, ...]  # origins beside those that are known
    client: httpx.AsyncClient

    async def carry(self, push: Push, to: Subscription, notice: Notice, now: datetime) -> int:
        """Hand it over. Returns the status of the answer; redirections are not followed.

        Raises:
            NotAPushService: Nothing was sent.
            ValueError: It cannot be encrypted for these keys.
            httpx.HTTPError: Nobody answered in time.
        """
        if not is_push_service(to.endpoint, self.services):
            raise NotAPushService
        keys = {"p256dh": to.p256dh, "auth": to.auth}
        pusher = WebPusher({"endpoint": to.endpoint, "keys": keys})
        content = pusher.encode(msgspec.json.encode(asdict(notice)), ENCODING)["body"]
        left_s = int((push.starts_at - now).total_seconds())
        headers = {
            "Content-Encoding": ENCODING,
            "Content-Type": "application/octet-stream",
            "TTL": str(max(0, min(left_s, TTL_MAX_S))),
            "Urgency": "high",
            # A newer word on an appointment takes the place of one that a phone has not fetched.
            "Topic": push.appointment_id.hex,
            **self._signature(to.endpoint),
        }
        answer = await self.client.post(to.endpoint, content=content, headers=headers)
        return answer.status_code

    async def close(self) -> None:
        """End the connections."""
        await self.client.aclose()

    def _signature(self, endpoint: str) -> dict[str, str]:
        service = urlsplit(endpoint)
        claims = {
            "aud": f"{service.scheme}://{service.netloc}",
            "sub": self.contact,
            "exp": int(time.time()) + SIGNED_FOR_S,
        }
        signed: dict[str, str] = self.vapid.sign(claims)
        return signed


def courier_of(settings: Settings) -> Courier | None:
    """The courier that the settings name; None without a key: then nobody is told anything."""
    if not settings.vapid_private_key:
        return None
    # It would write each endpoint into the log.
    logging.getLogger("httpx").setLevel(logging.WARNING)
    client = httpx.AsyncClient(timeout=PUSH_TIMEOUT_S, follow_redirects=False, trust_env=False)
    return Courier(
        vapid=Vapid.from_raw(settings.vapid_private_key.encode()),
        contact=settings.vapid_contact,
        services=settings.push_service_origins,
        client=client,
    )
