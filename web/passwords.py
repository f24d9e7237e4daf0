"""Passwords, slow where they must be: argon2id with RFC 9106's parameters, a few at a time."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar
from weakref import WeakValueDictionary

import argon2
from argon2.exceptions import InvalidHashError, VerificationError

from slots.errors import Unavailable

# One verification takes 64 MiB and some 50 ms of four lanes (RFC 9106).
VERIFYING_MAX: Final = 2  # at once in one process
WAITING_MAX: Final = 50  # beyond, the service is being flooded
HASHER: Final = argon2.PasswordHasher()

Result = TypeVar("Result")


class Passwords:
    """Verifies and hashes passwords beside the event loop, a few at a time. One per process."""

    def __init__(self) -> None:
        """Start no thread yet."""
        self._hasher = HASHER
        self._threads = ThreadPoolExecutor(VERIFYING_MAX, thread_name_prefix="argon2")
        self._nobodys_hash: str | None = None
        self._waiting = 0
        self.one_try_at_a_time: WeakValueDictionary[tuple[str, str], asyncio.Lock] = (
            WeakValueDictionary()
        )

    async def verify(self, password: str, password_hash: str | None) -> bool:
        """Whether they belong together. None takes as long as a real hash, and never does.

        Raises:
            Unavailable: Too many are waiting.
        """
        return await self._beside(self._verify, password, password_hash)

    async def hash(self, password: str) -> str:
        """What the ledger keeps of a new password: argon2id.

        Raises:
            Unavailable: Too many are waiting.
        """
        return await self._beside(self._hasher.hash, password)

    async def renewed(self, password: str, password_hash: str) -> str | None:
        """A hash of now for the password of *password_hash*; None where that is one of now.

        Raises:
            Unavailable: Too many are waiting.
        """
        if not self._hasher.check_needs_rehash(password_hash):
            return None
        return await self.hash(password)

    def close(self) -> None:
        """End the threads."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _beside(self, work: Callable[..., Result], *arguments: object) -> Result:
        if self._waiting >= WAITING_MAX:
            raise Unavailable
        self._waiting += 1
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._threads, work, *arguments)
        finally:
            self._waiting -= 1

    def _verify(self, password: str, password_hash: str | None) -> bool:
        if password_hash is None:
            # Whether an address is known here must not be told by the time it takes.
            self._nobodys_hash = self._nobodys_hash or self._hasher.hash("")
            self._matches(password, self._nobodys_hash)
            return False
        return self._matches(password, password_hash)

    def _matches(self, password: str, password_hash: str) -> bool:
        try:
            return self._hasher.verify(password_hash, password.encode("utf-8", "surrogatepass"))
        except (VerificationError, InvalidHashError):
            return False
