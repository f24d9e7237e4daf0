"""What all duties of a worker share."""

import os
import secrets
import socket
from dataclasses import dataclass, field
from pathlib import Path

from slots.desk import Desk
from workers.courier import Courier
from workers.post import Post
from workers.queue import Queue


def make_name() -> str:
    """A name for this process that no other has: it owns the rebuilds that it begins."""
    return f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"


@dataclass(slots=True)
class Workshop:
    """The desk, how mails and pushes leave, and the queue. One per process."""

    desk: Desk
    post: Post
    queue: Queue | None  # None: the queue's URL is not a single server
    name: str = field(default_factory=make_name)
    courier: Courier | None = None  # None: nobody is told by Web Push
    heads: Path | None = None  # where the audit's heads are kept; None: nowhere
    public_keys: tuple[str, ...] = ()  # whose signatures an anchor of the audit may bear
