"""A coordinator brings in a table of people with a browser."""

import asyncpg
import pytest

from tests.api.test_people_table import ALL, GP, table
from tests.browser import DESK, Joins
from tests.pages.test_accessible import NARROW, must_be_clean

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def chooses(person, content):
    file = {"name": "personnes.csv", "mimeType": "text/csv", "buffer": content}
    await person.page.get_by_label("Fichier CSV").set_input_files(file)
    await person.presses("Voir l’aperçu")


@pytest.mark.parametrize("viewport", [DESK, NARROW])
async def test_a_table_is_mended_previewed_and_imported(joins: Joins, viewport):
    cora = await joins("cora", viewport)
    await cora.goes_to("/coordination")
    await cora.page.get_by_role("link", name="Importer").click()
    await chooses(cora, table(GP.replace("10000000009", "1234")))
    await cora.sees("1 correction à faire")
    await cora.sees("Un numéro RPPS a 11 chiffres.")
    await must_be_clean(cora)

    await chooses(cora, table(*ALL))
    await cora.sees("Cochez qui reçoit")
    await must_be_clean(cora)
    await cora.page.get_by_label("Inviter Léa Fabre").check()
    await cora.presses("Importer ces 4 lignes", exact=False)

    await cora.sees("Le tableau est importé.")
    await cora.sees("Léa Fabre")
    await cora.sees("pas encore venu")
    await cora.goes_to("/coordination/1/import")
    await chooses(cora, table(*ALL))
    await cora.sees("Rien à importer")
    assert not cora.broken


@pytest.mark.parametrize("viewport", [DESK, NARROW])
async def test_a_professional_gets_a_place_more_and_one_less(joins: Joins, viewport):
    cora = await joins("cora", viewport)
    await cora.goes_to("/coordination/professionnels")
    await must_be_clean(cora)
    await cora.page.get_by_role("link", name="Bob Bernard").click()
    await must_be_clean(cora)
    await cora.page.get_by_label("RPPS").fill("1234")
    await cora.presses("Enregistrer la personne")
    await cora.sees("Un numéro RPPS a 11 chiffres.")
    await must_be_clean(cora)

    await cora.page.get_by_label("Lieu", exact=True).select_option(
        "Polyclinique des 3 Vallées, Bédarieux"
    )
    await cora.presses("Ajouter ce lieu")
    await cora.sees("Ce lieu d’exercice est ajouté")
    await cora.page.locator("summary", has_text="N’exerce plus ici").first.click()
    await must_be_clean(cora)
    await cora.presses("Oui, Bob Bernard n’exerce plus à Cabinet de Magalas")

    await cora.sees("n’exerce plus à ce lieu")
    await cora.page.get_by_role("heading", name="Polyclinique").wait_for()
    assert not cora.broken


async def test_two_entries_of_one_person_become_one_after_a_second_look(joins: Joins, owner_url):
    cora = await joins("cora", NARROW)
    owner = await asyncpg.connect(owner_url)
    await owner.execute(
        "WITH twin AS (INSERT INTO practitioner (id, given_name, family_name, profession)"
        " VALUES (gen_random_uuid(), 'Bob', 'BERNARD', '10') RETURNING id)"
        " INSERT INTO practitioner_role (id, territory_id, practitioner_id, location_id)"
        " SELECT gen_random_uuid(), 1, twin.id, location.id FROM twin, location WHERE name LIKE 'Polyclinique%'"
    )
    await owner.close()
    await cora.goes_to("/coordination/doublons")
    await must_be_clean(cora)

    await cora.page.get_by_role("link", name="Garder Cabinet de Magalas").click()
    await cora.sees("Cela ne se défait pas.")
    await must_be_clean(cora)
    await cora.presses("Réunir en une seule")

    await cora.sees("il n’y a plus qu’une fiche")
    assert not cora.broken


async def test_the_page_of_a_service_is_clean(joins: Joins):
    cora = await joins("cora", NARROW)
    await cora.goes_to("/coordination/professionnels")
    await cora.page.get_by_role("link", name="Radiologie").click()
    await cora.sees("Le service")
    await must_be_clean(cora)
