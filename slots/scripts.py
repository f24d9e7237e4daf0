"""Loads lua/*.lua and binds arguments by the names in their headers: a header that lies fails."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final, cast

from redis.exceptions import NoScriptError

from slots import keys

LUA_DIRECTORY: Final = Path(__file__).parent / "lua"
SCRIPT_NAMES: Final = (
    "put",
    "hold",
    "renew",
    "release",
    "seal",
    "unseal",
    "due",
    "snapshot",
    "begin",
    "ready",
)
HEADER: Final = re.compile(
    r"^--\[\[ (?P<name>\w+): .*?^KEYS  (?P<keys>[\w ]+)$.*?^ARGV  (?P<argv>[\w ]+(?:\n  [\w ]+)*)$"
    r".*?^Returns\n.*?^\]\]",
    re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Script:
    """One transition. `sha` names its text, so that old and new processes each call their own."""

    name: str
    key_names: tuple[str, ...]
    argument_names: tuple[str, ...]
    text: str
    sha: str

    async def __call__(
        self, redis: Any, key_list: Sequence[str | bytes], **arguments: str | bytes | int
    ) -> list[Any]:
        """Run it, once; it is sent again only where the server says that it does not know it.

        *key_list* has the keys in the header's order: `keys.of(territory)`, then the script's own.

        Raises:
            TypeError: The keys or the arguments are not those of the header.
        """
        names = self.argument_names
        if len(key_list) != len(self.key_names) or arguments.keys() != set(names):
            raise TypeError(f"{self.name}.lua takes {self.key_names} and {names}, got {arguments}")
        values = [arguments[name] for name in names]
        try:
            result = await redis.evalsha(self.sha, len(key_list), *key_list, *values)
        except NoScriptError:
            # A server that restarted has forgotten it; EVAL runs and remembers it.
            result = await redis.eval(self.text, len(key_list), *key_list, *values)
        return cast("list[Any]", result)


def parse(name: str, common: str, body: str) -> Script:
    """Read a script's header.

    Raises:
        ValueError: It has none, or it names other keys than lua/_common.lua unpacks.
    """
    header = HEADER.search(body)
    if header is None or header["name"] != name:
        raise ValueError(f"{name}.lua: no header with its name, KEYS, ARGV and Returns")
    key_names = tuple(header["keys"].split())
    if key_names[: len(keys.TERRITORY_KEYS)] != keys.TERRITORY_KEYS:
        raise ValueError(f"{name}.lua: KEYS must start with {keys.TERRITORY_KEYS}")
    text = f"{common}\n{body}"
    sha = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()
    return Script(name, key_names, tuple(header["argv"].split()), text, sha)


@cache
def load(name: str) -> Script:
    """The script lua/*name*.lua, with what all scripts share before it."""
    common = (LUA_DIRECTORY / "_common.lua").read_text(encoding="utf-8")
    return parse(name, common, (LUA_DIRECTORY / f"{name}.lua").read_text(encoding="utf-8"))
