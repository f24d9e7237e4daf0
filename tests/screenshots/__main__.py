"""Start everything with the demo on a fresh directory, and take a picture of each main state.

The pictures land in reports/screenshots, which git ignores; the README's own are copies of three.
"""

import asyncio
import os
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec
from playwright.async_api import Browser, Page, ViewportSize, async_playwright, expect

from tests.bench.stage import free_port
from tests.browser import CHROMIUM_ARGS, DESK, PHONE, chromium_program
from workers.demo.accounts import FILE_NAME

CHRONO48: Final = (sys.executable, "-m", "workers.command")
INTO: Final = Path("reports/screenshots")
READY: Final = b"Ctrl-C"  # in what `chrono48 up` says last
READY_WITHIN_S: Final = 180.0
STOPPED_WITHIN_S: Final = 30.0
DAY: Final = ("demo", "day", "--speed", "0", "--seed", "48")  # what there is to be seen
DAY_WITHIN_S: Final = 180.0
WALL: Final = ViewportSize(width=1920, height=1080)


@dataclass(frozen=True)
class Picture:
    """One state: who sees it, on what, and how they come there from *path*."""

    name: str
    role: str
    path: str
    size: ViewportSize
    dark: bool = False
    come: Callable[[Page], Awaitable[None]] | None = None


async def hold_the_first(page: Page) -> None:
    """Press the first free slot's button; its hold opens."""
    await page.get_by_role("button", name="Retenir").first.click()
    await page.wait_for_url("**/retenues/*")


async def open_the_patients_sheet(page: Page) -> None:
    """Book the first free slot, and open what the patient takes along."""
    await hold_the_first(page)
    await page.get_by_role("button", name="Confirmer le rendez-vous").click()
    await page.get_by_role("link", name="Feuille pour le patient").click()
    await page.wait_for_url("**/feuille")


PICTURES: Final = (
    Picture("phone-availability", "professional", "/disponibilites", PHONE),
    Picture("phone-availability-dark", "professional", "/disponibilites", PHONE, dark=True),
    Picture("desk-orient", "referrer", "/orienter", DESK),
    Picture("desk-hold", "referrer", "/orienter", DESK, come=hold_the_first),
    Picture("desk-patient-sheet", "referrer", "/orienter", DESK, come=open_the_patients_sheet),
    Picture("desk-directory", "referrer", "/annuaire", DESK),
    Picture("desk-orientations", "referrer", "/orientations", DESK),
    Picture("room-board", "regulator", "/regulation", WALL),
    Picture("room-board-dark", "regulator", "/regulation", WALL, dark=True),
)


async def main() -> int:
    INTO.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="chrono48-pictures-") as directory:
        Path(directory).chmod(0o711)  # the servers' own account reads below it
        data = Path(directory) / "data"
        async with running(data) as url, async_playwright() as playwright:
            await play_a_day(data, url)
            chromium = await playwright.chromium.launch(
                executable_path=chromium_program(), args=CHROMIUM_ARGS
            )
            for picture in PICTURES:
                await take(chromium, url, picture, account_of(data, picture.role))
                print(INTO / f"{picture.name}.png")
            await chromium.close()
    return 0


def environ(data: Path) -> dict[str, str]:
    """Nothing of the caller's: a DATABASE_URL of theirs must not get the demo."""
    return {"PATH": os.environ["PATH"], "DATA_DIR": str(data)}


@asynccontextmanager
async def running(data: Path) -> AsyncIterator[str]:
    """`chrono48 up` on a free port, until the end of the block."""
    port = str(free_port())
    with (INTO / "up.log").open("wb") as log:
        up = await asyncio.create_subprocess_exec(
            *CHRONO48,
            "up",
            env=environ(data) | {"HOST": "127.0.0.1", "PORT": port},
            stdout=asyncio.subprocess.PIPE,
            stderr=log,
        )
        assert up.stdout is not None
        try:
            async with asyncio.timeout(READY_WITHIN_S):
                while READY not in (line := await up.stdout.readline()):
                    assert line, "chrono48 up ended"
            yield f"http://127.0.0.1:{port}"
        finally:
            up.send_signal(signal.SIGINT)
            async with asyncio.timeout(STOPPED_WITHIN_S):
                await up.communicate()


async def play_a_day(data: Path, url: str) -> None:
    """Let the demo's people publish, book, cancel and come."""
    day = await asyncio.create_subprocess_exec(
        *CHRONO48, *DAY, "--base-url", url, env=environ(data)
    )
    async with asyncio.timeout(DAY_WITHIN_S):
        assert await day.wait() == 0, "chrono48 demo day failed"


def account_of(data: Path, role: str) -> dict[str, str]:
    """The first demo account with this role."""
    lines = (data / FILE_NAME).read_bytes().splitlines()
    accounts = (msgspec.json.decode(line, type=dict[str, str]) for line in lines)
    return next(account for account in accounts if account["role"] == role)


async def take(chromium: Browser, url: str, picture: Picture, account: dict[str, str]) -> None:
    """Sign in, come there, and look."""
    context = await chromium.new_context(
        viewport=picture.size,
        color_scheme="dark" if picture.dark else "light",
        locale="fr-FR",
        timezone_id="Europe/Paris",
        reduced_motion="reduce",
    )
    answer = await context.request.post(
        f"{url}/api/v1/session",
        data={"email": account["email"], "password": account["password"]},
    )
    assert answer.ok, await answer.text()
    page = await context.new_page()
    await page.goto(url + picture.path)
    if picture.come is not None:
        await picture.come(page)
    await expect(page.get_by_role("main")).to_be_visible()
    await page.wait_for_load_state("load")
    await page.screenshot(path=INTO / f"{picture.name}.png")
    await context.close()


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
