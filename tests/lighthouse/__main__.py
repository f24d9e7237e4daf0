"""Let Lighthouse judge the main screens of a demo, several times, and print the medians.

Lighthouse comes from npm, for development only, into the virtual environment's folder; the product
needs no Node. Reported, not asserted: on a machine that does other things a run says little. The
whole reports land in reports/lighthouse, which git ignores.
"""

import asyncio
import json
import shutil
import statistics
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx

from tests.browser import CHROMIUM_ARGS, chromium_program
from tests.screenshots.stage import account_of, demo_with_a_day

LIGHTHOUSE: Final = "lighthouse@12.8.2"  # the last that runs on Node 18 to 20
INSTALLED: Final = Path(".venv/lighthouse")
INTO: Final = Path("reports/lighthouse")
ROUNDS: Final = 5
GOAL: Final = 95
CATEGORIES: Final = ("performance", "accessibility", "best-practices")


@dataclass(frozen=True)
class Screen:
    """One screen, as who sees it, on what."""

    name: str
    role: str
    path: str
    on_desk: bool = False


SCREENS: Final = (
    Screen("phone-availability", "professional", "/disponibilites"),
    Screen("desk-orient", "referrer", "/orienter", on_desk=True),
    Screen("room-board", "regulator", "/regulation", on_desk=True),
    Screen("desk-directory", "referrer", "/annuaire", on_desk=True),
)


async def main() -> int:
    INTO.mkdir(parents=True, exist_ok=True)
    if not await installed():
        print("Lighthouse needs npm and its registry: nothing was judged.")
        return 1
    missed = False
    async with demo_with_a_day(INTO / "up.log") as (url, data):
        for screen in SCREENS:
            cookie = sign_in(url, account_of(data, screen.role))
            rounds = [await judged(url, screen, cookie, number) for number in range(ROUNDS)]
            for category in CATEGORIES:
                scores = sorted(one[category] for one in rounds)
                median = statistics.median(scores)
                missed = missed or median < GOAL
                verdict = "PASS" if median >= GOAL else "MISS"
                print(f"{verdict}  {screen.name}, {category}: {median:.0f} (>= {GOAL}; {scores})")
    return int(missed)


async def installed() -> bool:
    """Install Lighthouse where it is not."""
    if program().exists():
        return True
    if shutil.which("npm") is None:
        return False
    return await ran("npm", "install", "--silent", "--prefix", str(INSTALLED), LIGHTHOUSE) == 0


def program() -> Path:
    """The installed Lighthouse."""
    return INSTALLED / "node_modules/.bin/lighthouse"


def sign_in(url: str, account: dict[str, str]) -> str:
    """A session's cookie, as a header."""
    known = {"email": account["email"], "password": account["password"]}
    answer = httpx.post(f"{url}/api/v1/session", json=known)
    answer.raise_for_status()
    return "; ".join(f"{name}={value}" for name, value in answer.cookies.items())


async def judged(url: str, screen: Screen, cookie: str, number: int) -> dict[str, float]:
    """The scores of one run, of a hundred."""
    report = INTO / f"{screen.name}-{number}.json"
    flags = " ".join(("--headless=new", *CHROMIUM_ARGS))
    await ran(
        str(program()),
        url + screen.path,
        "--quiet",
        "--output=json",
        f"--output-path={report}",
        f"--only-categories={','.join(CATEGORIES)}",
        f"--extra-headers={json.dumps({'Cookie': cookie})}",
        f"--chrome-path={chromium_program() or ''}",
        f"--chrome-flags={flags}",
        *(["--preset=desktop"] if screen.on_desk else []),
    )
    found = json.loads(report.read_text())["categories"]
    return {category: 100 * (found[category]["score"] or 0) for category in CATEGORIES}


async def ran(*command: str) -> int:
    """Run it, silently; its exit code."""
    child = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL
    )
    return await child.wait()


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
