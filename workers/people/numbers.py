"""Identifiers of the health professions. Pure."""


def luhn_holds(digits: str) -> bool:
    """Whether the last digit is the Luhn check of the others."""
    total = 0
    for position, digit in enumerate(reversed(digits)):
        doubled = int(digit) * (2 if position % 2 else 1)
        total += doubled - 9 if doubled > 9 else doubled
    return total % 10 == 0
