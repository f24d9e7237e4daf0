"""Which system account the embedded servers run under.

PostgreSQL refuses to be root. So root's servers run as the account `postgres` where there is one,
else as nobody; an ordinary user's servers run as that user. No mode of a folder is changed for it.
"""

import os
import pwd
import stat
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

NOBODY: Final = 65_534
LAUNCH: Final = Path(__file__).with_name("launch.py")


@dataclass(frozen=True, slots=True)
class SystemAccount:
    """A user and a group, by number."""

    uid: int
    gid: int

    @property
    def is_us(self) -> bool:
        return self.uid == os.geteuid()

    def own(self, path: Path) -> None:
        """Give one file or folder of ours to this account."""
        if not self.is_us:
            os.chown(path, self.uid, self.gid)

    def may_enter(self, path: Path) -> bool:
        """Whether each folder on the way to *path* lets this account through."""
        path = path.resolve()
        return all(self._may_enter_one(folder) for folder in (path, *path.parents))

    def _may_enter_one(self, folder: Path) -> bool:
        status = folder.stat()
        if status.st_uid == self.uid:
            return bool(status.st_mode & stat.S_IXUSR)
        if status.st_gid == self.gid:
            return bool(status.st_mode & stat.S_IXGRP)
        return bool(status.st_mode & stat.S_IXOTH)


def servers_account(data: Path | None = None) -> SystemAccount:
    """The account for PostgreSQL and Valkey; for root, the owner of *data* where it is there."""
    if os.geteuid() != 0:
        return SystemAccount(os.geteuid(), os.getegid())
    if data is not None and data.exists() and (status := data.stat()).st_uid != 0:
        return SystemAccount(status.st_uid, status.st_gid)
    try:
        entry = pwd.getpwnam("postgres")
    except KeyError:
        return SystemAccount(NOBODY, NOBODY)
    return SystemAccount(entry.pw_uid, entry.pw_gid)


def launched(
    program: list[str],
    *,
    account: SystemAccount | None = None,
    enters: tuple[Path, ...] = (),
    death_signal: int | None = None,
) -> list[str]:
    """The command that runs *program* as *account*.

    enters: folders that it must get into, even where a parent is closed to the account.
    death_signal: what it gets when this process dies, by SIGKILL too (Linux).
    """
    # -I: nothing of the caller's environment changes what this little program imports.
    command = [sys.executable, "-I", "-S", str(LAUNCH)]
    if account is not None and not account.is_us:
        command += ["--uid", str(account.uid), "--gid", str(account.gid)]
        if not all(account.may_enter(folder) for folder in enters):
            command.append("--pass-walls")
    if death_signal is not None:
        command += ["--parent", str(os.getpid()), "--signal", str(int(death_signal))]
    return [*command, "--", *program]
