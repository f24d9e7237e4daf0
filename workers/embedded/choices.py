"""What an embedded installation chose once and keeps: passwords and ports, readable by us alone."""

import json
import os
import secrets
import socket
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final, Self

from slots.sealing import make_key
from slots.vapid import make_private_key

LOOPBACK: Final = "127.0.0.1"
PASSWORD_BYTES: Final = 24


@dataclass(frozen=True, slots=True)
class Choices:
    """The content of DATA_DIR/embedded.json."""

    mark: str  # in the command line of our PostgreSQL: how we tell its processes from a stranger's
    superuser_password: str
    owner_password: str
    app_password: str
    valkey_password: str
    postgres_port: int
    valkey_port: int
    vapid_private_key: str = ""  # none in what an older version chose
    secret_keys: str = ""  # likewise

    @classmethod
    def load(cls, path: Path) -> Self:
        """What was chosen, or new choices, kept in *path*. Ports taken meanwhile are changed."""
        choices = cls.read(path) if path.exists() else cls.make()
        choices = choices.with_free_ports().with_keys()
        choices.save(path)
        return choices

    @classmethod
    def read(cls, path: Path) -> Self:
        """What was chosen, as it is in *path*."""
        return cls(**json.loads(path.read_text()))

    @classmethod
    def make(cls) -> Self:
        """New passwords, and no ports yet."""
        return cls(
            mark=f"chrono48-{secrets.token_hex(6)}",
            superuser_password=secrets.token_urlsafe(PASSWORD_BYTES),
            owner_password=secrets.token_urlsafe(PASSWORD_BYTES),
            app_password=secrets.token_urlsafe(PASSWORD_BYTES),
            valkey_password=secrets.token_urlsafe(PASSWORD_BYTES),
            postgres_port=0,
            valkey_port=0,
        )

    def with_keys(self) -> Self:
        """The same, with a key for Web Push and one for secrets at rest where there was none."""
        return replace(
            self,
            vapid_private_key=self.vapid_private_key or make_private_key(),
            secret_keys=self.secret_keys or make_key(),
        )

    def with_free_ports(self) -> Self:
        """The same, on other ports where somebody else listens by now."""
        postgres_port = _free_port(self.postgres_port)
        valkey_port = _free_port(self.valkey_port, but=postgres_port)
        return replace(self, postgres_port=postgres_port, valkey_port=valkey_port)

    def save(self, path: Path) -> None:
        """Keep them, for our eyes only."""
        # Written beside and renamed: a kill in between leaves the old file whole.
        beside = path.with_suffix(".new")
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            json.dump(asdict(self), file, indent=2)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)


def is_free(host: str, port: int) -> bool:
    """Whether one may listen there."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host.strip("[]"), port))
        except OSError:
            return False
        return True


def _free_port(wanted: int, but: int = 0) -> int:
    if wanted and wanted != but and is_free(LOOPBACK, wanted):
        return wanted
    while True:
        with socket.socket() as probe:
            probe.bind((LOOPBACK, 0))
            port = int(probe.getsockname()[1])
        if port != but:
            return port
