"""Cells that a spreadsheet opens as they are and runs nothing of, and how they are read again. Pure."""

from typing import Final

BYTE_ORDER_MARK: Final = "\ufeff"  # without it Excel takes accents apart
# What makes a spreadsheet take a text for a formula, in narrow letters and in wide ones.
FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def harmless(cell: str) -> str:
    """The text as no formula: an apostrophe before it, which spreadsheets do not show."""
    return f"'{cell}" if _begins_a_formula(cell) else cell


def as_typed(cell: str) -> str:
    """The text that `harmless` was given."""
    return cell[1:] if cell.startswith("'") and _begins_a_formula(cell[1:]) else cell


def _begins_a_formula(cell: str) -> bool:
    # Also behind apostrophes: so that `as_typed` takes away what `harmless` put there, and no more.
    return cell.lstrip(" '").startswith(FORMULA_STARTS)
