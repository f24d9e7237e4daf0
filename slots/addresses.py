"""PostgreSQL at several addresses: a primary, and the standbys of which one may take its place."""

from typing import Any, Final
from urllib.parse import urlsplit

import asyncpg
from asyncpg.connect_utils import SessionAttribute
from asyncpg.exceptions import CannotConnectNowError, TargetServerAttributeNotMatched

# Not here, or not the primary: perhaps the next address is.
ELSEWHERE: Final = (OSError, CannotConnectNowError, TargetServerAttributeNotMatched)


class Primary:
    """Connects to whichever server may write; the one that could the last time is asked first.

    asyncpg goes through the addresses by itself, but under one time-out for all: behind a machine
    that is silent, and does not refuse, it never reaches the next.
    """

    def __init__(self, url: str) -> None:
        """*url*: `postgresql://role:password@one:5432,two:5432/database`, or with one address."""
        self._urls = one_by_one(url)

    async def connect(self, _url: str | None, *, timeout: float, **options: Any) -> Any:
        """As `asyncpg.connect`; each address has its share of *timeout* (seconds).

        Raises:
            OSError, CannotConnectNowError, TargetServerAttributeNotMatched: None may write now.
        """
        share_s = timeout / len(self._urls)
        for url in list(self._urls):
            try:
                conn = await asyncpg.connect(
                    url,
                    timeout=share_s,
                    target_session_attrs=SessionAttribute.read_write,
                    **options,
                )
            except ELSEWHERE as error:
                lost = error
            else:
                self._urls.sort(key=lambda other: other != url)
                return conn
        raise lost


def one_by_one(url: str) -> list[str]:
    """The same URL with each of its addresses alone."""
    parts = urlsplit(url)
    if "," not in parts.netloc:
        return [url]
    account, at, hosts = parts.netloc.rpartition("@")
    return [parts._replace(netloc=f"{account}{at}{host}").geturl() for host in hosts.split(",")]
