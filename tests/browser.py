"""The service on a real port, and people who use it with Chromium. Fixtures for pages and stories.

Chromium starts once for all tests. What talks to it runs on the loop of the session: the modules
of such tests say `pytestmark = pytest.mark.asyncio(loop_scope="session")`.
"""

import asyncio
import contextlib
import shutil
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import asyncpg
import pytest_asyncio
import uvicorn
from playwright.async_api import Browser, BrowserContext, Page, async_playwright, expect

from slots.clock import MACHINES_CLOCK, Clock
from slots.desk import Desk, close_desk, open_desk
from slots.settings import Settings
from slots.store.territory import next_generation
from slots.transaction import looking
from tests.world import PASSWORD, World, make_world
from web.__main__ import Server, configuration

LEASE = timedelta(seconds=60)
WITHIN_MS = 10_000  # how long a screen may take to say what it must
PHONE = {"width": 390, "height": 844}
DESK = {"width": 1280, "height": 800}
# What a window would show around a page costs each test a process; the rest is Playwright's own
# list, which a second one replaces.
DISABLED_FEATURES = (
    *(
        "PreloadTopChromeWebUI",
        "WebUIOmniboxPopup",
        "WebUIOmniboxFullPopup",
        "WebUIOmniboxAimPopup",
    ),
    *("InitialWebUI", "WebUIReloadButton", "WebUIToolbar"),
    *("AvoidUnnecessaryBeforeUnloadCheckSync", "DestroyProfileOnBrowserClose", "HttpsUpgrades"),
    *("HttpsFirstBalancedModeAutoEnable", "LensOverlay", "MediaRouter", "PaintHolding"),
    *("ThirdPartyStoragePartitioning", "AvoidCorsURLLoaderRestartOnRedirect", "OptimizationHints"),
    *("NetworkTimeServiceQuerying", "AimEnabled", "PreconnectToSearch"),
)
CHROMIUM_ARGS = [
    f"--disable-features={','.join(DISABLED_FEATURES)}",
    *("--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--disable-quic"),
]

expect.set_options(timeout=WITHIN_MS)


@dataclass(frozen=True)
class Service:
    """A running service, with its world."""

    url: str
    world: World
    desk: Desk


class Person:
    """Somebody with a browser of their own. `page` is what they look at."""

    def __init__(self, context: BrowserContext, page: Page, service: Service) -> None:
        self.context = context
        self.page = page
        self.service = service
        self.broken: list[str] = []
        page.on("pageerror", lambda error: self.broken.append(str(error)))
        page.on("console", self._heard)

    async def goes_to(self, path: str) -> None:
        await self.page.goto(self.service.url + path)

    async def signs_in(self, name: str) -> None:
        """With a session of the API, which is the pages' too; then home."""
        answer = await self.context.request.post(
            self.service.url + "/api/v1/session",
            data={"email": self.service.world.email(name), "password": PASSWORD},
        )
        assert answer.ok, await answer.text()
        await self.goes_to("/")

    async def signs_in_on_their_phone(self, name: str) -> None:
        """Where one stays signed in, and which never locks."""
        answer = await self.context.request.post(
            self.service.url + "/connexion",
            form={"email": self.service.world.email(name), "password": PASSWORD, "phone": "yes"},
            headers={"origin": self.service.url},
        )
        assert answer.ok, await answer.text()
        await self.goes_to("/")

    async def presses(self, name: str, *, exact: bool = True) -> None:
        await self.page.get_by_role("button", name=name, exact=exact).first.click()

    async def sees(self, text: str) -> None:
        await expect(self.page.get_by_text(text).first).to_be_visible()

    async def publishes(self, preset: str = "Demain matin") -> None:
        """One tap on a preset of *mes disponibilités*."""
        await self.presses(preset, exact=False)
        await self.sees("Publié. Les autres")

    async def holds(self, whose: str) -> None:
        """Press “Retenir” on the first row of *whose* name."""
        row = self.page.locator(".slot", has_text=whose).first
        await row.get_by_role("button", name="Retenir").click()
        await expect(self.page.locator("hold-countdown")).to_be_visible()

    async def books(self, whose: str) -> str:
        """Hold and confirm. Returns the reference."""
        await self.holds(whose)
        await self.presses("Confirmer le rendez-vous")
        await self.sees("C’est réservé")
        return await self.page.locator("h1 .reference").inner_text()

    def _heard(self, message: Any) -> None:
        # Refused and lost answers are part of the tests; what the page's own code says is not.
        if message.type == "error" and "Failed to load resource" not in message.text:
            self.broken.append(message.text)


Joins = Callable[..., Awaitable[Person]]


on_one_loop = pytest_asyncio.fixture(loop_scope="session")  # Chromium's, which lasts longest


@on_one_loop
async def world(owner_url: str) -> World:
    owner = await asyncpg.connect(owner_url)
    try:
        return await make_world(owner)
    finally:
        await owner.close()


class ServerInTest(Server):
    """The real server, without the signals, which are pytest's; it says when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listens = asyncio.Event()

    def capture_signals(self) -> contextlib.AbstractContextManager[None]:
        return contextlib.nullcontext()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.listens.set()


@on_one_loop
async def service(world: World, settings: Settings) -> AsyncIterator[Service]:
    """See `serving`."""
    async with serving(world, settings) as running:
        yield running


@contextlib.asynccontextmanager
async def serving(
    world: World, settings: Settings, clock: Clock = MACHINES_CLOCK
) -> AsyncIterator[Service]:
    """The application under uvicorn on a free port, with empty boards that are ready."""
    desk = await open_desk(settings, clock)
    await make_boards_ready(desk)
    listening = socket.create_server(("127.0.0.1", 0))
    port = listening.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    server = ServerInTest(configuration(replace(settings, port=port, base_url=url), clock))
    task = asyncio.create_task(server.serve([listening]))
    await server.listens.wait()
    try:
        yield Service(url, world, desk)
    finally:  # also where a test fails inside: what is left running keeps the loop from ending
        server.should_exit = True
        await task
        await close_desk(desk)


async def make_boards_ready(desk: Desk) -> None:
    """Each under a generation that nobody had: a number of our own would come again, later."""
    for territory in desk.territories.by_id.values():
        async with looking(desk.pool) as conn:
            generation = await next_generation(conn)
        assert (await desk.broker.begin(territory, generation, "test", LEASE))[0] == "begun"
        assert await desk.broker.ready(territory, generation, "test") is not None


def chromium_program() -> str | None:
    """The system's Chromium; None: the one that Playwright has downloaded."""
    found = (shutil.which(name) for name in ("chromium", "chromium-browser", "google-chrome"))
    return next(filter(None, found), None)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def chromium() -> AsyncIterator[Browser]:
    """One for all tests."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=chromium_program(), args=CHROMIUM_ARGS
        )
        yield browser
        await browser.close()


@on_one_loop
async def joins(service: Service, chromium: Browser) -> AsyncIterator[Joins]:
    """`await joins("ann", PHONE)`: ann has signed in, on a screen of that size."""
    people: list[Person] = []

    async def joined(name: str | None, viewport: Any = DESK, **options: Any) -> Person:
        # Playwright cannot change what a service worker asks for; tests of it say "allow".
        options.setdefault("service_workers", "block")
        context = await chromium.new_context(
            viewport=viewport, locale="fr-FR", timezone_id="Europe/Paris", **options
        )
        context.set_default_timeout(WITHIN_MS)
        person = Person(context, await context.new_page(), service)
        people.append(person)
        if name is not None:
            await person.signs_in(name)
        return person

    yield joined
    for person in people:
        await person.context.close()
    broken = [complaint for person in people for complaint in person.broken]
    assert not broken, broken
