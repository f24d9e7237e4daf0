"""The regulation's board: many rows, frozen or live, what is new, its figures, its map, the wall."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from playwright.async_api import expect

from slots.appointment import REGULATED_A_WEEK_MAX
from slots.times import paris_week
from tests.browser import DESK, PHONE, Joins, Person
from tests.pages.boards import is_live, offers, rows
from tests.past import write_bookings

pytestmark = pytest.mark.asyncio(loop_scope="session")

FIRST_ROWS = 100
WALL = {"width": 1920, "height": 1080}


async def has_figure(person: Person, label: str, figure: int) -> None:
    line = person.page.locator(".counters div", has=person.page.get_by_text(label, exact=True))
    await expect(line.locator("dd")).to_have_text(str(figure))


@pytest.mark.prove
async def test_the_first_hundred_rows_come_with_the_page_and_the_rest_as_one_scrolls(joins: Joins):
    for name in ("ann", "bob"):
        await offers(await joins(name), name, 65)
    rita = await joins("rita")

    await rita.page.route("**/regulation?*fragment=suite*", lambda route: route.abort())
    await rita.goes_to("/regulation")
    await expect(rows(rita)).to_have_count(FIRST_ROWS)
    counts = await rita.page.locator("[data-count]").all_inner_texts()
    assert sum(map(int, counts)) == 130
    await rita.page.unroute("**/regulation?*fragment=suite*")
    await rita.goes_to("/regulation")
    while await rita.page.locator(".more").count():
        await rita.page.evaluate("document.querySelector('.more')?.scrollIntoView()")

    await expect(rows(rita)).to_have_count(130)
    ids = await rows(rita).evaluate_all("(all) => all.map((one) => one.id)")
    assert len(set(ids)) == 130
    await expect(rita.page.locator(".more")).to_have_count(0)


@pytest.mark.prove
async def test_without_scripts_a_link_brings_all_rows(joins: Joins):
    for name in ("ann", "bob"):
        await offers(await joins(name), name, 60)
    rita = await joins("rita", DESK, java_script_enabled=False)
    await expect(rows(rita)).to_have_count(FIRST_ROWS)

    await rita.page.get_by_role("link", name=re.compile("autres? places?")).first.click()

    await expect(rows(rita)).to_have_count(120)


@pytest.mark.prove
async def test_rows_beyond_the_page_do_not_appear_between_but_are_counted(joins: Joins):
    for name in ("ann", "bob"):
        await offers(await joins(name), name, 58)
    nina, rita = await joins("nina"), await joins("rita")
    await rita.page.route("**/regulation?*fragment=suite*", lambda route: route.abort())
    await rita.goes_to("/regulation")
    await is_live(rita)
    last = rita.page.locator(".column").last.locator("[data-count]")
    before = int(await last.inner_text())

    await offers(nina, "nina", 1, after=timedelta(hours=23, minutes=50))
    await offers(nina, "nina", 1, after=timedelta(hours=47, minutes=30))

    await expect(last).to_have_text(str(before + 1))
    await expect(rita.page.locator(".slot", has_text="Nina Petit")).to_have_count(1)


async def test_a_frozen_board_says_since_when_and_goes_on_where_it_stood(joins: Joins):
    ann, rita = await joins("ann", PHONE), await joins("rita")
    await is_live(rita)
    await rita.page.keyboard.press("F8")
    await rita.sees("Figé à")

    await ann.publishes()

    await rita.sees("1 changement attend")
    await expect(rows(rita)).to_have_count(0)
    await rita.presses("Reprendre F8")
    await expect(rows(rita)).to_have_count(1)
    await expect(rita.page.get_by_text("Figé à")).to_have_count(0)


async def test_what_is_new_since_one_last_looked_is_marked_until_one_says_so(joins: Joins):
    ann, bob, rita = await joins("ann", PHONE), await joins("bob", PHONE), await joins("rita")
    await is_live(rita)
    await ann.publishes()
    await rita.sees("1 nouvelle")
    await expect(rita.page.locator(".slot[data-news]")).to_have_count(1)

    await rita.goes_to("/annuaire")
    await bob.publishes()
    await rita.goes_to("/regulation")
    await rita.sees("2 nouvelles")
    await rita.presses("Vu")
    await expect(rita.page.locator(".slot[data-news]")).to_have_count(0)

    await bob.goes_to("/disponibilites")
    await bob.page.get_by_role("button", name="Retirer le créneau").click()
    await rita.sees("1 partie")


@pytest.mark.prove
async def test_nothing_moves_under_the_pointer(joins: Joins):
    ann, bob, rita = await joins("ann", PHONE), await joins("bob", PHONE), await joins("rita")
    await offers(ann, "ann", 1, after=timedelta(hours=2))
    await is_live(rita)
    row = rita.page.locator(".slot", has_text="Dr Ann Martin")
    await row.hover()
    stands = await row.bounding_box()

    async def still_points() -> None:
        for shift in (3, 0):
            await rita.page.mouse.move(stands["x"] + 20 + shift, stands["y"] + 20)

    await still_points()
    await offers(bob, "bob", 1, after=timedelta(hours=1))  # would stand above it
    await has_figure(rita, "libres", 2)  # the page has heard of it
    await still_points()
    await expect(rita.page.locator(".slot", has_text="Dr Bob Bernard")).to_have_count(0)
    assert await row.bounding_box() == stands
    await ann.goes_to("/disponibilites")
    await ann.page.get_by_role("button", name="Retirer le créneau").click()
    await expect(row.locator(".state")).to_have_text("Retiré")
    assert await row.bounding_box() == stands

    await rita.page.mouse.move(5, 5)

    await expect(rita.page.locator(".slot", has_text="Dr Bob Bernard")).to_be_visible()


@pytest.mark.prove
async def test_the_figures_of_the_room_follow(joins: Joins):
    ann, rolf, rita = await joins("ann", PHONE), await joins("rolf"), await joins("rita")
    await offers(ann, "ann", 1, after=timedelta(hours=2))
    await offers(ann, "ann", 2, after=timedelta(hours=20))
    await has_figure(rita, "libres", 3)
    await has_figure(rita, "libres sous 4 h", 1)

    await rolf.goes_to("/orienter")
    await rolf.holds("Dr Ann Martin")
    await has_figure(rita, "retenues", 1)
    await rolf.presses("Confirmer le rendez-vous")
    await has_figure(rita, "réservées aujourd’hui", 1)
    await has_figure(rita, "libres", 2)
    await rolf.goes_to("/orienter?quoi=cardiologue")
    await rita.page.reload()
    await has_figure(rita, "recherches sans réponse", 1)


async def test_the_twenty_first_patient_of_a_week_is_a_warning_and_no_refusal(
    joins: Joins, owner_url: str
):
    ann, rita = await joins("ann", PHONE), await joins("rita")
    await offers(ann, "ann", 1)
    await rita.goes_to("/regulation")
    await rita.holds("Dr Ann Martin")
    await rita.sees("0 patient régulé chez Dr Ann Martin cette semaine, sur 20.")
    await rita.presses("Rendre la place")
    await sent_by_the_regulation(rita, owner_url, REGULATED_A_WEEK_MAX)

    await rita.goes_to("/regulation")
    await rita.sees("plafond atteint")
    await rita.holds("Dr Ann Martin")
    await rita.sees("le plafond de 20 est atteint")
    await rita.presses("Confirmer le rendez-vous")
    await rita.sees("C’est réservé")


async def sent_by_the_regulation(rita: Person, owner_url: str, count: int) -> None:
    """So many patients of ann's this week, and as many of the week before, who do not count."""
    monday, _ = paris_week(datetime.now(UTC) + timedelta(minutes=30))
    for day in (monday, monday - timedelta(days=3)):
        await write_bookings(
            owner_url, rita.service.world, day, count=count, by="rita", origin="regulation"
        )


@pytest.mark.prove
async def test_a_place_on_the_map_is_searched_with_a_tap_and_the_map_is_live(joins: Joins):
    ann, bob, rita = await joins("ann", PHONE), await joins("bob", PHONE), await joins("rita")
    await ann.publishes()
    await rita.goes_to("/regulation?delai=24")
    place = rita.page.get_by_role("link", name=re.compile("Bédarieux : 1.place libre"))
    await expect(place).to_be_visible()
    await bob.publishes()
    await expect(rita.page.get_by_role("link", name=re.compile("Magalas : 1"))).to_be_visible()

    await place.click()

    await expect(rita.page.get_by_label("Commune du patient")).to_have_value("Bédarieux (34600)")
    await expect(rita.page.locator(".map-sought")).to_have_count(1)
    assert "delai=24" in rita.page.url


async def test_the_wall_is_live_has_nothing_to_press_and_shows_its_age(joins: Joins):
    ann, rita = await joins("ann", PHONE), await joins(None)
    await rita.page.clock.install()
    await rita.signs_in("rita")
    await rita.goes_to("/mur")
    await is_live(rita)

    await ann.publishes()
    await expect(rows(rita)).to_have_count(1)
    await expect(rita.page.get_by_role("button", name="Retenir")).to_have_count(0)
    clock = rita.page.locator("[data-clock]")
    shown = await clock.inner_text()
    await rita.context.set_offline(True)
    await rita.page.clock.fast_forward("01:30")
    await rita.sees("DONNÉES FIGÉES")
    await expect(clock).not_to_have_text(shown)
    opacity = "getComputedStyle(document.querySelector('.board')).opacity"
    assert float(await rita.page.evaluate(opacity)) < 0.5


async def test_no_letter_on_the_wall_is_smaller_than_24_pixels(joins: Joins):
    ann, rita = await joins("ann", PHONE), await joins("rita", WALL)
    await ann.publishes()
    await rita.goes_to("/mur")
    await expect(rows(rita)).to_have_count(1)

    sizes = await rita.page.locator(".board *").evaluate_all(
        """(all) => all.filter((one) => one.checkVisibility() && one.textContent.trim())
          .map((one) => parseFloat(getComputedStyle(one).fontSize))"""
    )

    assert min(sizes) >= 24


async def test_only_the_regulation_has_the_wall(joins: Joins):
    rolf = await joins("rolf")
    await rolf.goes_to("/mur")
    await expect(rows(rolf)).to_have_count(0)
    await rolf.sees("Si vous devriez y avoir droit")


async def test_the_board_is_filtered_by_audience_and_by_words(joins: Joins):
    ann, bob, nina = [await joins(name) for name in ("ann", "bob", "nina")]
    await offers(ann, "ann", 1, audience=["SNP"])
    await offers(bob, "bob", 1, audience=["CPTS", "SNP"])
    rita = await joins("rita")
    await rita.goes_to("/regulation?public=CPTS")
    await expect(rows(rita)).to_have_count(1)
    await rita.goes_to("/regulation?quoi=infirmières+Bédarieux")
    await is_live(rita)
    await expect(rows(rita)).to_have_count(0)

    await offers(ann, "ann", 1, after=timedelta(hours=3))
    await offers(nina, "nina", 1)

    await expect(rows(rita)).to_have_count(1)
    await expect(rows(rita)).to_contain_text("Nina Petit")


async def test_a_regulator_searches_and_books_with_six_keystrokes_beside_the_words(joins: Joins):
    ann, bob, rita = await joins("ann", PHONE), await joins("bob", PHONE), await joins("rita")
    await offers(ann, "ann", 2, after=timedelta(hours=1))
    await offers(bob, "bob", 1, after=timedelta(hours=5))
    await is_live(rita)
    pressed = 0

    async def presses(key: str) -> None:
        nonlocal pressed
        await rita.page.keyboard.press(key)
        pressed += 1

    await presses("Control+K")
    await expect(rita.page.get_by_label("Profession, acte ou personne")).to_be_focused()
    await rita.page.keyboard.type("generaliste")
    await presses("Enter")
    first = rita.page.locator(".hold").first
    await expect(first).to_be_focused()
    await presses("ArrowDown")
    await expect(rita.page.locator(".hold").nth(1)).to_be_focused()
    await presses("ArrowRight")
    await presses("Enter")
    await expect(rita.page.get_by_role("button", name="Confirmer le rendez-vous")).to_be_focused()
    await rita.sees("Dr Bob Bernard")
    await presses("Enter")
    await rita.sees("C’est réservé")
    assert pressed == 6
