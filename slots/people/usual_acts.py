"""What a profession usually offers, until somebody says more. Pure."""

from typing import Final

_BY_PROFESSION: Final = {  # TRE_G15
    "10": ("consultation", "teleconsultation"),
    "40": ("urgent-dental-care",),
    "50": ("midwife-consultation",),
    "60": ("complex-dressing", "blood-sample"),
    "70": ("rehabilitation", "respiratory-physiotherapy"),
}


def usual_acts(profession: str) -> tuple[str, ...]:
    """Codes of acts, which a catalogue may have or not."""
    return _BY_PROFESSION.get(profession, ("consultation",))
