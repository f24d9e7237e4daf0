"""`/coordination/…/import` and `personnes.csv`: the people of a territory as a table, in and out.

A preview brings everything in and takes it back; its seal says what was shown. What is imported is
the same file with the same seal, or nothing: the file travels in the form, and stays nowhere here.
"""

import base64
import hashlib
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

import asyncpg
from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request
from starlette.responses import Response

from slots.errors import NotAllowed
from slots.letters import delegated, invitation
from slots.people.columns import HEADINGS
from slots.people.findings import Finding, Wrong
from slots.people.table import FILE, FILE_BYTES_MAX, LINES_MAX, Table, read
from slots.people.writing_out import written
from slots.store.audit import record
from slots.store.bringing_in import Brought, Effect, Letters, bring_in
from slots.store.people_table import people_table
from slots.territory import Territory
from web.pages.coordinating import PATH, back_to, coordinator_of, entered_by, ruling
from web.pages.own_protection import ask_who, is_proved
from web.pages.page import FORM_FIELDS_MAX, Viewer, show
from web.pages.people_words import EFFECTS, THINGS, heading, words_of
from web.state import State

CSV: Final = "text/csv; charset=utf-8; header=present"
KIB: Final = 1024
WITHIN_S: Final = 30.0  # a whole table, line by line; most others are one statement or two
DIGITS_MAX: Final = 9  # of the number of a line


@dataclass(frozen=True, slots=True)
class Preview:
    """What a file would do. Nothing of it is written."""

    content: bytes
    table: Table
    brought: list[Brought] = field(default_factory=list)

    @property
    def faults(self) -> list[Finding]:
        """What stands against it, by line."""
        refused = [one.refused for one in self.brought if one.refused]
        return sorted([*self.table.faults, *refused], key=lambda one: one.line)

    @property
    def changes(self) -> bool:
        """Whether there is anything to import."""
        return any(one.effect is not Effect.SAME for one in self.brought)

    @property
    def newcomers(self) -> list[Brought]:
        """Who may be invited."""
        return [one for one in self.brought if one.has_new_account]

    @property
    def seal(self) -> str:
        """The same for the same file with the same effects."""
        seen = hashlib.sha256(self.content)
        for one in self.brought:
            seen.update(repr((one.line.line, sorted(one.effects.items()), one.refused)).encode())
        return seen.hexdigest()


class _OnlyTried(Exception):
    """Ends the transaction of what is not to stay."""


async def import_page(request: Request[State]) -> Response:
    """Where a file is chosen."""
    _, territory = await coordinator_of(request)
    if not await is_proved(request):
        return await ask_who(request, f"{PATH}/{territory.id}/import")
    return _page(request, territory)


async def template(request: Request[State]) -> Response:
    """An empty table with its headings."""
    await coordinator_of(request)
    return _csv(written([]), "modele-personnes.csv")


async def preview(request: Request[State]) -> Response:
    """Say what a file would do, line by line, and do nothing."""
    viewer, territory, _, content = await _uploaded(request)
    if not content:
        return _page(request, territory, error="Choisissez un fichier.", status=422)
    found = await _tried(request, viewer, territory, content)
    return _page(request, territory, found, status=422 if found.faults else 200)


async def bring(request: Request[State]) -> Response:
    """Import exactly what was shown, or show what it would be now."""
    viewer, territory, form, _ = await _uploaded(request)
    try:
        content = base64.b64decode(str(form.get("content", "")), validate=True)
    except ValueError:
        return _page(request, territory, error="Choisissez à nouveau le fichier.", status=422)
    ticked = [str(one) for one in form.getlist("invite")]
    invited = frozenset(int(one) for one in ticked if one.isdecimal() and len(one) < DIGITS_MAX)
    seal = str(form.get("seal", ""))
    found = await _tried(request, viewer, territory, content, seal, invited)
    if found.faults or found.seal != seal:
        return _page(request, territory, found, is_stale=True, status=409)
    return back_to(territory, "importe")


async def export(request: Request[State]) -> Response:
    """Everybody and everything of the territory, as a table that can be imported again."""
    viewer, territory = await coordinator_of(request)
    if not await is_proved(request):
        return await ask_who(request, f"{PATH}/{territory.id}")
    async with entered_by(request, viewer, territory) as conn:
        lines = await people_table(conn, territory.id, territory.slug)
        await record(
            conn, territory.id, viewer.account.id, "export", "account", [viewer.account.id]
        )
    return _csv(written(lines), "personnes.csv")


async def _uploaded(request: Request[State]) -> tuple[Viewer, Territory, FormData, bytes]:
    """Who rules, what they typed, and their file; b"" without one."""
    # Before anything else asks for the form without its file. That stays in memory: it is smaller
    # than what is spooled to a disk.
    async with request.form(max_files=1, max_fields=FORM_FIELDS_MAX) as form:
        viewer, territory = await ruling(request)
        chosen = form.get("file")
        content = await chosen.read() if isinstance(chosen, UploadFile) else b""
    return viewer, territory, form, content


async def _tried(
    request: Request[State],
    viewer: Viewer,
    territory: Territory,
    content: bytes,
    seal: str | None = None,
    invited: frozenset[int] = frozenset(),
) -> Preview:
    """What the file does; it stays done only where that bears *seal*."""
    if len(content) > FILE_BYTES_MAX:
        wrong = Finding(1, FILE, Wrong.TOO_LARGE, "", f"{FILE_BYTES_MAX // KIB} Kio")
        return Preview(b"", Table(faults=[wrong]))
    table = read(content, territory=territory.slug, lines_max=LINES_MAX)
    try:
        return await _bring_in(request, viewer, territory, content, table, seal, invited)
    except asyncpg.UniqueViolationError:  # somebody else makes the same just now
        return await _bring_in(request, viewer, territory, content, table, seal, invited)


async def _bring_in(
    request: Request[State],
    viewer: Viewer,
    territory: Territory,
    content: bytes,
    table: Table,
    seal: str | None,
    invited: frozenset[int],
) -> Preview:
    product_name = request.state["settings"].product_name
    letters = Letters(invitation(product_name), lambda name: delegated(name, product_name))
    now = request.state["desk"].clock.now()
    found = Preview(content, table)
    try:
        async with entered_by(request, viewer, territory, within_s=WITHIN_S) as conn:
            brought = await bring_in(conn, territory.id, table.lines, letters, now, invited)
            found = Preview(content, table, brought)
            if any(one.refused and one.refused.wrong is Wrong.NOT_ALLOWED for one in brought):
                raise NotAllowed
            if found.faults or found.seal != seal:
                raise _OnlyTried
            touched: dict[str, set[UUID]] = {}
            for one in brought:
                for subject, subject_id in one.touched:
                    touched.setdefault(subject, set()).add(subject_id)
            for subject, ids in touched.items():
                await record(conn, territory.id, viewer.account.id, "import", subject, sorted(ids))
    except _OnlyTried:
        pass
    return found


def _page(
    request: Request[State],
    territory: Territory,
    found: Preview | None = None,
    *,
    error: str = "",
    is_stale: bool = False,
    status: int = 200,
) -> Response:
    doubts: dict[int, list[Finding]] = {}
    for one in found.table.warnings if found else ():
        doubts.setdefault(one.line, []).append(one)
    return show(
        request,
        "people_import.html",
        status=status,
        territory=territory,
        found=found,
        content=base64.b64encode(found.content).decode() if found else "",
        error=error,
        is_stale=is_stale,
        doubts=doubts,
        heading=heading,
        words_of=words_of,
        effects=EFFECTS,
        things=THINGS,
        headings=[name for column, name in HEADINGS.items() if column != "territory"],
        lines_max=LINES_MAX,
    )


def _csv(content: bytes, name: str) -> Response:
    return Response(
        content,
        media_type=CSV,
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )
