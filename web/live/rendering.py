"""A slot as HTML for live frames: the page's own template, so that both always look the same."""

from slots.document import SlotDocument
from web.catalogue import ActLabels
from web.pages.environment import rendered


def render_slot(document: SlotDocument, act_labels: ActLabels) -> str:
    """One row of a board. Nothing about who looks is in it: one rendering serves everybody."""
    return rendered("_slot.html", slot=document, act_label=act_labels.of)
