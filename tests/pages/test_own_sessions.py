"""Where somebody is signed in, and how they end it from elsewhere."""

import asyncpg
import pytest
from playwright.async_api import expect

from tests.browser import DESK, PHONE, Joins
from tests.pages.boards import is_live
from tests.world import PASSWORD
from web.devices import device_of

pytestmark = pytest.mark.asyncio(loop_scope="session")

IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 "
    "(KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1"
)
NO_SCRIPTS = {"java_script_enabled": False}


@pytest.mark.parametrize(
    ("user_agent", "device"),
    [
        (IPHONE, "Safari, iPhone"),
        ("Mozilla/5.0 (Windows NT 10.0) … Chrome/140.0 Safari/537.36 Edg/140.0", "Edge, Windows"),
        (
            "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
            "Firefox, Linux",
        ),
        ("Mozilla/5.0 (Linux; Android 15) … Chrome/140.0 Mobile Safari/537.36", "Chrome, Android"),
        ("python-httpx/0.28", ""),
        ("", ""),
    ],
)
async def test_a_device_has_the_name_that_its_owner_gives_it(user_agent, device):
    assert device_of(user_agent) == device


async def test_a_lost_phone_is_signed_out_from_the_pc_and_its_board_says_so(joins: Joins):
    phone = await joins("rita", PHONE, user_agent=IPHONE)
    pc = await joins("rita", DESK)
    await expect(phone.page.locator("live-freshness")).to_have_attribute("data-level", "live")

    await pc.page.get_by_role("link", name="Rita Simon").click()
    await expect(pc.page.locator("[aria-labelledby=sessions] .appointment")).to_have_count(2)
    await expect(pc.page.locator(".appointment", has_text="cette session")).to_have_count(1)
    await pc.presses("Fermer la session Safari, iPhone", exact=False)

    await pc.sees("cet appareil est déconnecté")
    await expect(pc.page.locator("[aria-labelledby=sessions] .appointment")).to_have_count(1)
    await phone.sees("Votre session a pris fin")
    await phone.page.reload()
    await expect(phone.page.get_by_role("heading", name="Connexion")).to_be_visible()


@pytest.mark.prove
async def test_all_others_end_at_once_and_this_one_stays(joins: Joins):
    others = [await joins("rita", PHONE), await joins("rita", DESK)]
    pc = await joins("rita", DESK, **NO_SCRIPTS)
    await pc.goes_to("/compte")

    await pc.presses("Fermer toutes les autres")

    await pc.sees("Toutes les autres sessions sont fermées")
    await expect(pc.page.locator("[aria-labelledby=sessions] .appointment")).to_have_count(1)
    for other in others:
        await other.goes_to("/regulation")
        await expect(other.page.get_by_role("heading", name="Connexion")).to_be_visible()


@pytest.mark.prove
async def test_nobody_ends_or_sees_anothers_session(joins: Joins, owner_url: str):
    ann, rolf = await joins("ann", PHONE), await joins("rolf", DESK)
    await rolf.goes_to("/compte")
    await expect(rolf.page.locator("[aria-labelledby=sessions] .appointment")).to_have_count(1)
    owner = await asyncpg.connect(owner_url)
    account_id = ann.service.world.accounts["ann"].id
    anns = await owner.fetchval("SELECT id FROM session WHERE account_id = $1", account_id)
    await owner.close()

    answer = await rolf.context.request.post(
        f"{rolf.service.url}/compte/sessions/{anns}/fermer",
        headers={"origin": rolf.service.url},
    )

    assert "Cette session était déjà fermée" in await answer.text()
    await ann.goes_to("/compte")
    await expect(ann.page.get_by_role("heading", name="Mon compte")).to_be_visible()


@pytest.mark.prove
@pytest.mark.parametrize("is_late", [False, True], ids=["at once", "a late answer"])
async def test_the_board_of_another_tab_comes_back_by_itself_after_a_proof(joins: Joins, is_late):
    ann, rita = await joins("ann", PHONE), await joins("rita", DESK)
    await is_live(rita)
    await rita.page.evaluate("window.isTheSame = true")
    asked = []

    async def before_the_cookie(route):
        asked.append(route)
        if is_late and len(asked) == 1:
            await route.fulfill(status=401, body="")
        else:
            await route.continue_()

    await rita.page.route("**/api/v1/session", before_the_cookie)
    tab = await rita.context.new_page()
    await tab.goto(rita.service.url + "/compte/confirmer?suite=/compte")
    await tab.get_by_label("Votre mot de passe").fill(PASSWORD)

    async with rita.page.expect_websocket():
        await tab.get_by_role("button", name="Continuer").click()
    await expect(tab.get_by_role("heading", name="Mon compte")).to_be_visible()
    await ann.publishes()

    await expect(rita.page.locator(".slot", has_text="Dr Ann Martin")).to_be_visible()
    await is_live(rita)
    assert await rita.page.evaluate("window.isTheSame")
    assert len(asked) == 1 + is_late


@pytest.mark.prove
async def test_a_board_does_not_come_back_for_somebody_else_in_the_same_browser(joins: Joins):
    rita = await joins("rita", DESK)
    await is_live(rita)

    answer = await rita.context.request.post(
        rita.service.url + "/api/v1/session",
        data={"email": rita.service.world.email("bob"), "password": PASSWORD},
    )

    assert answer.ok
    await rita.sees("Votre session a pris fin")
