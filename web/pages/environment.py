"""The templates and the words they may use. Nothing in here knows who looks at the page."""

import secrets
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from slots.french import day, day_and_hour, hour
from slots.push import base64url
from slots.store.session import LOCK_AFTER
from web.pages import french
from web.pages.assets import MODULES
from web.pages.finding import commune_typed
from web.pages.groups import kin, mark
from web.pages.journal_words import audited, audited_subject

TEMPLATES: Final = Path(__file__).parents[1] / "templates"


def new_key() -> str:
    """An idempotency key for one form: sending the form twice has one effect."""
    return secrets.token_urlsafe(18)


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    for word in (
        french.count,
        french.span,
        day,
        day_and_hour,
        french.delay,
        french.distance,
        french.duration,
        hour,
        french.iso,
        french.minutes,
        french.near_day,
        french.near_day_and_hour,
        french.phone,
        french.phone_link,
        french.places,
        french.practitioner_name,
        french.profession,
        french.schedule_name,
        french.schedule_profession,
        french.seen_by,
        french.typography,
    ):
        environment.filters[word.__name__] = word
    environment.filters["commune_typed"] = commune_typed
    environment.filters["kin"] = kin
    environment.filters["mark"] = mark
    environment.filters["base64url"] = base64url
    environment.filters["audited"] = audited
    environment.filters["audited_subject"] = audited_subject
    environment.globals["words"] = french
    environment.globals["new_key"] = new_key
    environment.globals["modules"] = MODULES
    environment.globals["lock_after_ms"] = round(LOCK_AFTER.total_seconds() * 1000)
    return environment


ENVIRONMENT: Final = _environment()


def rendered(template: str, /, **context: object) -> str:
    """The template filled in. `now` is this instant where the caller gives none."""
    return ENVIRONMENT.get_template(template).render(**{"now": datetime.now(UTC), **context})
