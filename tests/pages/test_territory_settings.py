"""A coordinator sets the territory, and the screens of the others follow."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from playwright.async_api import expect

from slots.booking import offering
from slots.booking.offers import OfferedSlot
from slots.reconcile.relay import relay
from slots.store.idempotency import Key
from tests.browser import DESK, PHONE, Joins, Person

pytestmark = pytest.mark.asyncio(loop_scope="session")

FAR = timedelta(hours=60)
A_MOMENT = timedelta(seconds=5)


async def offers_far_ahead(person: Person) -> None:
    desk, world = person.service.desk, person.service.world
    starts_at = datetime.now(UTC).replace(microsecond=0) + FAR
    offered = OfferedSlot(
        world.schedules["ann"],
        starts_at,
        starts_at + timedelta(minutes=20),
        audience=("CPTS", "SNP"),
    )
    await offering.offer(
        desk, world.accounts["ann"], [offered], Key(str(uuid4()), b""), datetime.now(UTC)
    )


async def sets_horizon(cora: Person, hours: str) -> None:
    await cora.goes_to("/coordination/reglages")
    await cora.page.get_by_label("Horizon, en heures").fill(hours)
    await cora.presses("Enregistrer")
    await cora.sees("Réglages enregistrés")
    # What a worker does each second, as another process that has not looked at the settings since.
    desk = cora.service.desk
    territory = desk.territories.by_id[cora.service.world.hauts]
    await relay(desk, territory, datetime.now(UTC) + A_MOMENT)


async def test_open_boards_follow_another_horizon_by_themselves(joins: Joins):
    rita, cora = await joins("rita", DESK), await joins("cora", DESK)
    await offers_far_ahead(cora)
    await rita.goes_to("/regulation")
    slot = rita.page.locator(".slot", has_text="Ann Martin")
    await expect(slot).to_have_count(0)

    await sets_horizon(cora, "72")
    await expect(slot).to_have_count(1)

    await sets_horizon(cora, "24")
    await expect(slot.filter(has=rita.page.get_by_role("button", name="Retenir"))).to_have_count(0)
    assert rita.broken == cora.broken == []


async def test_what_is_wrong_has_the_focus_and_what_was_typed_stays(joins: Joins):
    cora = await joins("cora", PHONE)
    await cora.goes_to("/coordination/reglages")
    await cora.page.evaluate("document.querySelector('form.settings').noValidate = true")
    await cora.page.get_by_label("Horizon, en heures").fill("36")
    hold_for = cora.page.get_by_label("Durée d’une retenue, en secondes")
    await hold_for.fill("5")

    await cora.presses("Enregistrer")

    await cora.sees("Un nombre entier de 60 à 600 est attendu.")
    await expect(hold_for).to_be_focused()
    await expect(cora.page.get_by_label("Horizon, en heures")).to_have_value("36")


@pytest.mark.prove
async def test_an_act_is_added_corrected_and_retired(joins: Joins):
    cora, ann = await joins("cora", PHONE), await joins("ann", PHONE)
    await cora.goes_to("/coordination/actes")
    new = cora.page.get_by_role("form", name="Ajouter un acte")
    await new.get_by_label("Nom").fill("suture")
    await new.get_by_role("button", name="Ajouter").click()
    await cora.sees("Un acte de ce nom est déjà proposé")
    await expect(new.get_by_label("Nom")).to_be_focused()

    await new.get_by_label("Nom").fill("Pose d’un plâtre")
    await new.get_by_role("button", name="Ajouter").click()
    await cora.sees("Acte ajouté")
    choice = ann.page.locator("input[name=acts][value=pose-d-un-platre]")
    await ann.goes_to("/disponibilites")
    await expect(choice).to_have_count(1)

    await cora.page.get_by_text("Modifier Pose d’un plâtre").click()
    await cora.presses("Retirer Pose d’un plâtre du catalogue")
    await cora.sees("Acte retiré")
    await ann.page.reload()
    await expect(choice).to_have_count(0)
    assert cora.broken == []
