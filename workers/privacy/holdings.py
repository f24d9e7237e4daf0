"""What each table has about persons, and what ends it: the register of an installation. Pure.

A table that is in neither list fails a test: who adds one says here what becomes of it.
"""

from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from slots.patient_contact import KEPT_H_MAX, KEPT_H_MIN
from slots.reconcile.forget import (
    ADMISSIONS_FOR,
    FAILURES_FOR,
    KEYS_FOR,
    MAILS_FOR,
    PUSHES_FOR,
    SESSIONS_FOR,
)
from slots.store.ticket import FORGOTTEN_AFTER

ACCOUNT_LASTS: Final = "as the account; disabled ones stay, for the audit names them by id"
DIRECTORY_LASTS: Final = "until the CPTS takes the entry out"
NOT_BY_ITSELF: Final = "nothing ends it by itself"


class About(StrEnum):
    """Whom something is about."""

    USERS = "who uses the service"
    PROFESSIONALS = "professionals of the directory"
    PATIENTS = "patients"


@dataclass(frozen=True, slots=True)
class Holding:
    """One kind of what is stored: about whom, what, and until when, in words."""

    about: About
    what: str
    until: str


HOLDINGS: Final = MappingProxyType(
    {
        "patient_contact": Holding(
            About.PATIENTS,
            "name or initials, year of birth, phone, address of a visit; sealed",
            f"purge_at, {KEPT_H_MIN} to {KEPT_H_MAX} h after the slot; sooner where the booking is cancelled",
        ),
        "appointment": Holding(
            About.PATIENTS,
            "coded reason and urgency, place and time, who booked: no name, found by its reference",
            NOT_BY_ITSELF,
        ),
        "account": Holding(
            About.USERS, "name, mail address, phone, password's hash", NOT_BY_ITSELF
        ),
        "organisation": Holding(About.USERS, "where they work, its phone", NOT_BY_ITSELF),
        "membership": Holding(About.USERS, "roles", "until they are taken back"),
        "delegation": Holding(About.USERS, "for whom they act", "until it is taken back"),
        "authenticator_app": Holding(About.USERS, "an app's secret, sealed", ACCOUNT_LASTS),
        "passkey": Holding(About.USERS, "public keys, browser and system", ACCOUNT_LASTS),
        "recovery_code": Holding(About.USERS, "hashes of codes", ACCOUNT_LASTS),
        "session": Holding(
            About.USERS,
            "where and when they signed in: browser and system",
            f"{SESSIONS_FOR.days} day after its end",
        ),
        "workstation": Holding(
            About.USERS, "a PC of a regulation room, and who registered it", NOT_BY_ITSELF
        ),
        "ticket": Holding(
            About.USERS,
            "a sign-in, an invitation or a new password under way",
            f"{FORGOTTEN_AFTER.days} days after its end",
        ),
        "sign_in_failure": Holding(
            About.USERS,
            "mail and network address of wrong passwords",
            f"the next right one, or {FAILURES_FOR.days} days after the last",
        ),
        "admission": Holding(
            About.USERS,
            "name, RPPS, mail address of who asks to be let in",
            f"{ADMISSIONS_FOR.days} days after the answer",
        ),
        "mail": Holding(
            About.USERS,
            "what was written to whom; no patient",
            f"{MAILS_FOR.days} days after it left; an invitation with its account",
        ),
        "push_subscription": Holding(
            About.USERS, "a browser's address and keys", "until it or its owner ends it"
        ),
        "quiet_hours": Holding(About.USERS, "when they want to hear nothing", ACCOUNT_LASTS),
        "push": Holding(
            About.USERS,
            "what a browser was told",
            f"{PUSHES_FOR.days} day after the appointment's start",
        ),
        "idempotency_key": Holding(
            About.USERS, "which command they gave; ids and a hash", f"{KEYS_FOR.days} days"
        ),
        "audit": Holding(
            About.USERS, "who did what, when: ids only", "`chrono48 audit retire --before`"
        ),
        "slot": Holding(About.PROFESSIONALS, "when and where they see patients", NOT_BY_ITSELF),
        "practitioner": Holding(
            About.PROFESSIONALS, "name, RPPS, profession, skills, languages", DIRECTORY_LASTS
        ),
        "practitioner_role": Holding(
            About.PROFESSIONALS, "where they work, how to refer", DIRECTORY_LASTS
        ),
        "location": Holding(
            About.PROFESSIONALS, "address and phone of a practice", DIRECTORY_LASTS
        ),
        "directory_entry": Holding(
            About.PROFESSIONALS, "the same, as words to search", DIRECTORY_LASTS
        ),
    }
)
# Places, words, hashes and the machine's own marks.
WITHOUT_PERSONS: Final = frozenset(
    {
        *("act", "reason", "urgency", "commune", "territory", "territory_neighbour"),
        *("healthcare_service", "schedule", "hold_end", "outbox", "unmet_search"),
        *("audit_link", "audit_anchor", "audit_copy", "migration"),
    }
)
ELSEWHERE: Final = (
    "Redis: ids of accounts that hold a seat, until the hold ends. Nothing of a patient.",
    "Logs: the id of the account beside each request, and the id of a booking whose contact no key opens.",
    "DATA_DIR/mail: what was written to whom, where there is no SMTP_URL, until somebody deletes it.",
    "Backups of PostgreSQL: everything above as it was, contacts sealed; a purge reaches none of them.",
)
