"""The service as an application of the phone: what Chromium itself says of the manifest."""

import re

import pytest
from playwright.async_api import expect

from tests.browser import PHONE
from web.pages.assets import DIRECTORY
from web.pages.manifest import ACCENT, GROUND

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_chromium_would_install_it(service, joins):
    ann = await joins("ann", viewport=PHONE)
    chromium = await ann.context.new_cdp_session(ann.page)

    found = await chromium.send("Page.getAppManifest")
    errors = await chromium.send("Page.getInstallabilityErrors")

    assert found["url"] == f"{service.url}/manifest.webmanifest"
    assert found["errors"] == []
    # A context of Playwright's is a private window, which alone keeps it from being installed.
    assert {error["errorId"] for error in errors["installabilityErrors"]} <= {"in-incognito"}


async def test_it_needs_no_session_and_its_icons_are_of_the_size_that_it_says(service, joins):
    nobody = await joins(None)
    answer = await nobody.context.request.get(f"{service.url}/manifest.webmanifest")
    manifest = await answer.json()

    assert answer.headers["content-type"] == "application/manifest+json"
    for icon in manifest["icons"]:
        picture = await nobody.context.request.get(service.url + icon["src"])
        assert picture.headers["content-type"].startswith(icon["type"])
        if icon["type"] == "image/png":
            content = await picture.body()
            width, height = (int.from_bytes(content[at : at + 4], "big") for at in (16, 20))
            assert icon["sizes"] == f"{width}x{height}"
    assert any(icon.get("purpose") == "maskable" for icon in manifest["icons"])


async def test_it_opens_on_the_persons_own_screen(service, joins):
    for name, screen in (("ann", "/disponibilites"), ("rita", "/regulation")):
        person = await joins(name)
        manifest = await (
            await person.context.request.get(f"{service.url}/manifest.webmanifest")
        ).json()

        await person.goes_to(manifest["start_url"])

        await expect(person.page).to_have_url(service.url + screen)
        for shortcut in manifest["shortcuts"]:
            answer = await person.context.request.get(service.url + shortcut["url"])
            assert answer.status in (200, 403), shortcut


async def test_its_colours_are_those_of_the_pages():
    tokens = (DIRECTORY / "tokens.css").read_text()

    assert re.search(r"--accent: (#\w+);", tokens)[1] == ACCENT
    assert re.search(r"--ground: (#\w+);", tokens)[1] == GROUND
