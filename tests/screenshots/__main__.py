"""Start everything with the demo on a fresh directory, and take a picture of each main state.

The pictures land in reports/screenshots, which git ignores; the README's own are copies of three.
"""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from playwright.async_api import Browser, Page, ViewportSize, async_playwright, expect

from tests.browser import CHROMIUM_ARGS, DESK, PHONE, chromium_program
from tests.screenshots.stage import account_of, demo_with_a_day

INTO: Final = Path("reports/screenshots")
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
    Picture("room-wall", "regulator", "/mur", WALL, dark=True),
)


async def main() -> int:
    INTO.mkdir(parents=True, exist_ok=True)
    async with (
        demo_with_a_day(INTO / "up.log") as (url, data),
        async_playwright() as playwright,
    ):
        chromium = await playwright.chromium.launch(
            executable_path=chromium_program(), args=CHROMIUM_ARGS
        )
        for picture in PICTURES:
            await take(chromium, url, picture, account_of(data, picture.role))
            print(INTO / f"{picture.name}.png")
        await chromium.close()
    return 0


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
