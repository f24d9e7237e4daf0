"""The next best free slots for one who was too late. Pure."""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Final

from slots.document import SlotDocument

ALTERNATIVES_MAX: Final = 5


def next_best(
    like: SlotDocument,
    documents: Iterable[SlotDocument],
    may_book: Callable[[SlotDocument], bool],
) -> list[SlotDocument]:
    """Up to ALTERNATIVES_MAX free slots that serve the same need as *like*, the best first.

    The same need: a common act, the same modality, the same profession and specialty. Best: the
    nearest start, then the same commune.
    """
    fitting = [
        document
        for document in documents
        if document.id != like.id
        and document.free > 0
        and document.modality == like.modality
        and document.profession == like.profession
        and document.specialty == like.specialty
        and not set(document.acts).isdisjoint(like.acts)
        and may_book(document)
    ]
    fitting.sort(key=lambda document: _distance(like, document))
    return fitting[:ALTERNATIVES_MAX]


def _distance(like: SlotDocument, other: SlotDocument) -> tuple[float, bool, datetime]:
    apart = abs((other.starts_at - like.starts_at).total_seconds())
    same_commune = other.schedule.location.insee == like.schedule.location.insee
    return apart, not same_commune, other.starts_at
