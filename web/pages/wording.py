"""What the search line understands: a profession, an act or a person, as one types it. Pure.

`web/static/slot-search.js` asks the same of the rows that arrive live.
"""

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Final

from web.pages.french import folded

LITTLE: Final = frozenset(["de", "du", "des", "la", "le", "les", "un", "une", "et", "ou", "pour"])
BOARDS_REMEMBERED: Final = 4_096  # rows' words; a board has some thousands
STEM_SHORTEST: Final = 4  # letters that stay when an ending goes
WORD: Final = re.compile(r"[a-z0-9]+")


def stems(typed: str) -> tuple[str, ...]:
    """The words that count, without the endings of plural and feminine: `infirmières`, `infirmier`."""
    return tuple(_stem(word) for word in WORD.findall(folded(typed)) if word not in LITTLE)


def _stem(word: str) -> str:
    for ending in ("s", "e"):
        if len(word) > STEM_SHORTEST:
            word = word.removesuffix(ending)
    return word


@lru_cache(BOARDS_REMEMBERED)
def words_of(texts: tuple[str, ...]) -> frozenset[str]:
    """The words of what a row says."""
    return frozenset(WORD.findall(folded(" ".join(texts))))


def answers(wanted: Iterable[str], words: Iterable[str]) -> bool:
    """Whether each of the stems begins a word."""
    return all(any(word.startswith(stem) for word in words) for stem in wanted)


def meant(typed: str, labels: Iterable[tuple[str, str]]) -> str | None:
    """The one code whose label has all that was typed, or None: `suture` is the act of that name."""
    wanted = stems(typed)
    found = {code for code, label in labels if wanted and answers(wanted, words_of((label,)))}
    return found.pop() if len(found) == 1 else None
