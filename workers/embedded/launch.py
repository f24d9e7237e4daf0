"""Becomes another program: `python launch.py [--uid U --gid G [--pass-walls]] -- program args…`.

A process of its own, started between the supervisor and its child, because what it does to
itself must not happen to the supervisor: the child dies with its parent, and root's children that
refuse to be root become somebody else. Standard library only.
"""

import argparse
import ctypes
import os
import signal
import sys
from typing import Final

PR_SET_PDEATHSIG: Final = 1
PR_SET_KEEPCAPS: Final = 8
PR_SET_SECUREBITS: Final = 28
PR_CAP_AMBIENT: Final = 47
PR_CAP_AMBIENT_RAISE: Final = 2
SECBIT_NO_SETUID_FIXUP: Final = 1 << 2
CAPABILITY_VERSION_3: Final = 0x20080522
# Reading and entering any folder; where a container lacks the first, the wider second.
CAP_DAC_READ_SEARCH: Final = 2
CAP_DAC_OVERRIDE: Final = 1


def main() -> None:
    """Prepare this process, then become the program."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--uid", type=int)
    parser.add_argument("--gid", type=int)
    parser.add_argument("--pass-walls", action="store_true", help="enter private folders above")
    parser.add_argument("--parent", type=int, help="die with this process")
    parser.add_argument("--signal", type=int, default=signal.SIGTERM, help="by this signal")
    parser.add_argument("program", nargs="+")
    arguments = parser.parse_args()

    if arguments.uid is not None:
        become(arguments.uid, arguments.gid, pass_walls=arguments.pass_walls)
    if arguments.parent is not None and sys.platform == "linux":
        # After the change of user, which clears it.
        _prctl(PR_SET_PDEATHSIG, arguments.signal)
        if os.getppid() != arguments.parent:  # it died before we could ask
            sys.exit(1)
    os.umask(0o077)
    os.execvp(arguments.program[0], arguments.program)


def become(uid: int, gid: int, *, pass_walls: bool) -> None:
    """Stop being root. With *pass_walls*, keep the right to enter folders closed to others."""
    if pass_walls:
        # access(2) asks with all capabilities dropped unless this bit is set, and PostgreSQL
        # looks for its own files by access(2).
        _prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP)
        _prctl(PR_SET_KEEPCAPS, 1)
    os.setgroups([])
    os.setresgid(gid, gid, gid)
    os.setresuid(uid, uid, uid)
    if pass_walls:
        _keep_only_the_right_to_enter()


def _keep_only_the_right_to_enter() -> None:
    for capability in (CAP_DAC_READ_SEARCH, CAP_DAC_OVERRIDE):
        if _set_capabilities(1 << capability):
            _prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability)
            return
    sys.exit("launch: this container lacks CAP_DAC_OVERRIDE, needed to enter a private folder")


def _set_capabilities(mask: int) -> bool:
    header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION_3, 0)
    # Effective, permitted and inheritable; first the low 32 bits, then the high ones.
    data = (ctypes.c_uint32 * 6)(mask, mask, mask, 0, 0, 0)
    return bool(_libc().capset(header, data) == 0)


def _prctl(option: int, *arguments: int) -> None:
    values = [ctypes.c_ulong(argument) for argument in (*arguments, 0, 0, 0, 0)[:4]]
    if _libc().prctl(option, *values) != 0:
        sys.exit(f"launch: prctl({option}): {os.strerror(ctypes.get_errno())}")


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


if __name__ == "__main__":
    main()
