"""Takes one line out of a Lua script for the length of a test: what would happen without it?"""

from functools import cache

import pytest

from slots import scripts


def without(monkeypatch: pytest.MonkeyPatch, file: str, *lines: str | tuple[str, str]) -> None:
    """Every broker now runs lua/*file*.lua without these *lines*, or with others instead."""
    texts = {
        path.stem: path.read_text(encoding="utf-8") for path in scripts.LUA_DIRECTORY.glob("*.lua")
    }
    for line in lines:
        guard, instead = (line, "") if isinstance(line, str) else line
        assert texts[file].count(guard) == 1, f"{file}.lua: {guard}"
        texts[file] = texts[file].replace(guard, instead)

    @cache
    def load(name: str) -> scripts.Script:
        return scripts.parse(name, texts["_common"], texts[name])

    monkeypatch.setattr(scripts, "load", load)
