"""What all duties of a worker share."""

import os
import secrets
import socket
from dataclasses import dataclass, field, replace

from slots.desk import Desk
from slots.store.territory import territories
from slots.transaction import looking
from workers.post import Post
from workers.queue import Queue


def make_name() -> str:
    """A name for this process that no other has: it owns the rebuilds that it begins."""
    return f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"


@dataclass(slots=True)
class Workshop:
    """The desk, how mails leave, and the queue. One per process."""

    desk: Desk  # replaced when a territory is added
    post: Post
    queue: Queue | None  # None: the queue's URL is not a single server
    name: str = field(default_factory=make_name)

    async def look_for_territories(self) -> int:
        """Serve territories that were added or changed since. Returns how many are new."""
        async with looking(self.desk.pool) as conn:
            found = await territories(conn)
        if found == self.desk.territories:
            return 0
        new = len(found.by_id.keys() - self.desk.territories.by_id.keys())
        self.desk = replace(self.desk, territories=found)
        return new
