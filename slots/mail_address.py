"""What an address of e-mail looks like. Pure."""

import re
from typing import Final

_ADDRESS: Final = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]+")


def is_mail_address(typed: str) -> bool:
    """Whether it has the form of one. Whether somebody reads it, only a mail says."""
    return _ADDRESS.fullmatch(typed) is not None
