"""A coordinator and the professionals of the territory: who they are, where they work, and no more."""

import re
from uuid import UUID

import pytest

from slots.store.slot import has_ended
from slots.transaction import entered
from tests.api.conftest import offered
from tests.world import HAUTS, THAU

OUR_PAGE = {"sec-fetch-site": "same-origin"}
PERSON = {
    "given_name": "Bob",
    "family_name": "Bernard",
    "rpps": "",
    "profession": "10",
    "specialty": "SM54",
    "skills": "suture + gynécologie",
    "languages": "fr + oc",
}
PLACE = {
    "address": "1 place du Pont",
    "phone": "0467000001",
    "access": "Deuxième porte",
    "step_free": "oui",
    "parking": "non",
    "new_patients": "oui",
    "referral": "Appeler avant midi",
}


@pytest.fixture
async def cora(sign_in):
    person = await sign_in("cora")
    person.headers.update(OUR_PAGE)
    return person


@pytest.fixture
def path(world):
    return f"/coordination/{HAUTS}/professionnels/{world.practitioners['bob']}"


@pytest.fixture
async def role_id(owner, world):
    return await owner.fetchval(
        "SELECT id FROM practitioner_role WHERE practitioner_id = $1", world.practitioners["bob"]
    )


async def verbs(owner):
    rows = await owner.fetch("SELECT verb FROM audit WHERE territory_id = $1 ORDER BY id", HAUTS)
    return [row["verb"] for row in rows]


async def bob(owner, world):
    return await owner.fetchrow(
        "SELECT * FROM practitioner WHERE id = $1", world.practitioners["bob"]
    )


async def test_everybody_of_the_territory_is_listed_and_nobody_else(cora):
    page = (await cora.get("/coordination/professionnels")).text

    assert "Ann Martin" in page
    assert "Maison de santé de Bédarieux" in page
    assert "Carl" not in page


async def test_skills_and_languages_change_everywhere_and_empty_is_empty(cora, owner, world, path):
    answer = await cora.post(path, data=PERSON)

    assert answer.headers["location"] == f"{path}?fait=enregistre"
    row = await bob(owner, world)
    assert (row["skills"], row["languages"]) == (["suture", "gynécologie"], ["fr", "oc"])
    assert 'value="suture + gynécologie"' in (await cora.get(path)).text
    await cora.post(path, data=PERSON | {"skills": "", "specialty": ""})
    row = await bob(owner, world)
    assert (row["skills"], row["specialty"]) == ([], None)
    assert await verbs(owner) == ["amend-person", "amend-person"]


@pytest.mark.parametrize(
    ("field", "typed", "words"),
    [
        ("rpps", "1234", "Un numéro RPPS a 11 chiffres."),
        ("family_name", " ", "Cette cellule est attendue."),
        ("languages", "français", "Un code de langue est attendu, comme fr."),
        ("profession", "99", "l’un de ceux-ci"),
        ("profession", "60", "Seuls les médecins ont une spécialité."),
    ],
)
async def test_what_cannot_be_is_said_beside_its_field_and_the_rest_stays(
    cora, owner, world, path, field, typed, words
):
    before = await bob(owner, world)

    answer = await cora.post(path, data=PERSON | {field: typed})

    assert answer.status_code == 422
    assert words in answer.text.replace("\xa0", " ")
    assert 'aria-invalid="true"' in answer.text
    assert 'value="suture + gynécologie"' in answer.text
    assert await bob(owner, world) == before


async def test_a_number_with_a_failing_check_digit_warns_and_one_of_an_account_is_refused(
    cora, owner, world, path
):
    refused = await cora.post(path, data=PERSON | {"rpps": "10000000009"})
    await owner.execute("UPDATE account SET practitioner_id = NULL WHERE name = 'Bob Bernard'")
    anns = await owner.fetchval("SELECT rpps FROM practitioner WHERE given_name = 'Ann'")
    taken = await cora.post(path, data=PERSON | {"rpps": anns})
    odd = await cora.post(path, data=PERSON | {"rpps": "10000000008"})

    assert refused.status_code == 409
    assert "Cette personne a un compte" in refused.text
    assert taken.status_code == 409
    assert odd.headers["location"].endswith("fait=rpps")
    assert "inhabituel" in (await cora.get(path)).text
    assert (await bob(owner, world))["rpps"] == "10000000008"


async def test_a_place_of_work_is_added_new_or_one_of_the_territory_s(cora, owner, world, path):
    new = await cora.post(
        f"{path}/lieux", data=PLACE | {"place": "Cabinet du Pont", "insee": "34119"}
    )
    known = await cora.post(
        f"{path}/lieux",
        data={"location_id": str(world.locations["bedarieux"]), "new_patients": "non"},
    )

    assert new.headers["location"] == known.headers["location"] == f"{path}?fait=lieu"
    rows = await owner.fetch(
        "SELECT location.name, new_patients, default_acts FROM practitioner_role role"
        " JOIN location ON location.id = location_id JOIN schedule ON practitioner_role_id = role.id"
        " WHERE practitioner_id = $1 ORDER BY location.name",
        world.practitioners["bob"],
    )
    assert [(row["name"], row["new_patients"]) for row in rows] == [
        ("Cabinet de Magalas", None),
        ("Cabinet du Pont", True),
        ("Maison de santé de Bédarieux", False),
    ]
    assert rows[1]["default_acts"] == ["consultation", "teleconsultation"]
    assert await verbs(owner) == ["add-place", "add-place"]


async def test_a_new_place_needs_a_name_a_commune_and_a_telephone(cora, path):
    answer = await cora.post(f"{path}/lieux", data=PLACE | {"place": "", "insee": "x", "phone": ""})
    unknown = await cora.post(f"{path}/lieux", data=PLACE | {"place": "Pont", "insee": "34999"})

    assert set(re.findall(r'id="error-new-(\w+)"', answer.text)) == {"place", "insee", "phone"}
    assert "Aucune commune" in unknown.text


async def test_a_place_of_work_is_amended(cora, owner, path, role_id):
    answer = await cora.post(f"{path}/lieux/{role_id}", data=PLACE)

    assert answer.headers["location"] == f"{path}?fait=enregistre"
    row = await owner.fetchrow(
        "SELECT address, phone, access, step_free, parking, new_patients, referral"
        " FROM practitioner_role role JOIN location ON location.id = location_id WHERE role.id = $1",
        role_id,
    )
    assert tuple(row.values()) == (
        *("1 place du Pont", "0467000001", "Deuxième porte", True, False, True),
        "Appeler avant midi",
    )
    await cora.post(f"{path}/lieux/{role_id}", data=PLACE | {"referral": "", "access": ""})
    assert (
        await owner.fetchval("SELECT referral FROM practitioner_role WHERE id = $1", role_id) == ""
    )


async def test_a_place_with_something_still_to_come_does_not_end(
    cora, sign_in, owner, world, path, role_id
):
    somebody = await sign_in("bob")
    slot = await somebody.offer(world.schedules["bob"])

    answer = await cora.post(f"{path}/lieux/{role_id}/fin")

    assert answer.headers["location"] == f"{path}?fait=a-venir"
    assert (
        await owner.fetchval("SELECT ended_at FROM practitioner_role WHERE id = $1", role_id)
        is None
    )
    await owner.execute("UPDATE slot SET withdrawn_at = now() WHERE id = $1", UUID(slot["id"]))
    assert (await cora.post(f"{path}/lieux/{role_id}/fin")).status_code == 303
    assert await owner.fetchval("SELECT ended_at FROM practitioner_role WHERE id = $1", role_id)


async def test_who_works_there_no_more_is_out_of_the_directory_and_publishes_nothing(
    cora, sign_in, owner, world, path, role_id
):
    somebody = await sign_in("bob")
    await owner.execute(
        "INSERT INTO delegation (account_id, territory_id, schedule_id) VALUES ($1, 1, $2)",
        *(world.accounts["olga"].id, world.schedules["bob"]),
    )

    await cora.post(f"{path}/lieux/{role_id}/fin")
    again = await cora.post(f"{path}/lieux/{role_id}/fin")

    assert again.status_code == 303
    assert await verbs(owner) == ["end-place"]
    body = {"slots": [offered(world.schedules["bob"])]}
    assert (await somebody.command("POST", "/api/v1/slots", body)).status_code == 403
    assert "Bob Bernard" not in (await cora.get("/annuaire?q=bernard")).text
    assert (await cora.get(path)).status_code == 404
    assert not await owner.fetchval(
        "SELECT count(*) FROM delegation WHERE schedule_id = $1", world.schedules["bob"]
    )
    assert str(world.schedules["bob"]) not in (await cora.get("/delegations")).text


async def test_whoever_comes_back_has_the_same_schedule_again(
    cora, sign_in, owner, world, path, role_id
):
    await cora.post(f"{path}/lieux", data=PLACE | {"place": "Cabinet du Pont", "insee": "34119"})
    await cora.post(f"{path}/lieux/{role_id}/fin")

    await cora.post(f"{path}/lieux", data={"location_id": str(world.locations["magalas"])})

    somebody = await sign_in("bob")
    assert await somebody.offer(world.schedules["bob"], hours=3)


@pytest.mark.parametrize("name", ["ann", "bob", "olga", "rolf", "rita", "carl"])
async def test_nobody_else_sees_or_changes_them(sign_in, owner, world, path, role_id, name):
    person = await sign_in(name)
    person.headers.update(OUR_PAGE)
    before = await bob(owner, world)

    assert (await person.get(path)).status_code == 403
    assert (await person.get(f"/coordination/{HAUTS}/professionnels")).status_code == 403
    for where in ("", "/lieux", f"/lieux/{role_id}", f"/lieux/{role_id}/fin"):
        assert (await person.post(path + where, data=PERSON | PLACE)).status_code == 403
    assert await bob(owner, world) == before
    assert (
        await owner.fetchval("SELECT ended_at FROM practitioner_role WHERE id = $1", role_id)
        is None
    )


async def test_a_coordinator_reaches_nobody_of_another_territory(cora, owner, world):
    carl = world.practitioners["carl"]
    role = await owner.fetchval("SELECT id FROM practitioner_role WHERE practitioner_id = $1", carl)
    there, here = (f"/coordination/{one}/professionnels/{carl}" for one in (THAU, HAUTS))

    for where in ("", "/lieux", f"/lieux/{role}", f"/lieux/{role}/fin"):
        data = PERSON | PLACE | {"place": "X", "insee": "34119"}
        assert (await cora.post(there + where, data=data)).status_code == 403, where
        assert (await cora.post(here + where, data=data)).status_code in (403, 404), where
    assert (await cora.get(here)).status_code == 404
    assert (
        await owner.fetchval("SELECT ended_at FROM practitioner_role WHERE id = $1", role) is None
    )


async def test_who_works_in_two_territories_is_changed_in_neither(cora, owner, world, path):
    await owner.execute(
        "INSERT INTO practitioner_role (id, territory_id, practitioner_id, location_id)"
        " VALUES (gen_random_uuid(), 2, $1, $2)",
        *(world.practitioners["bob"], world.locations["sete"]),
    )

    answer = await cora.post(path, data=PERSON)

    assert answer.status_code == 409
    assert "travaille dans un autre territoire" in answer.text
    assert "Corniche" not in answer.text


@pytest.mark.parametrize(
    ("name", "territories", "answer"),
    [
        ("cora", [HAUTS, 0], "changed"),
        ("cora", [THAU, 0], "not-allowed"),
        ("bob", [HAUTS, 0], "not-allowed"),
        (None, [HAUTS, 0], "not-allowed"),
    ],
)
async def test_the_door_that_ends_a_place_asks_by_itself(
    pool, world, role_id, name, territories, answer
):
    account_id = world.accounts[name].id if name else None
    async with entered(pool, account_id, territories) as conn:
        for where in {territories[0], HAUTS}:
            said = await conn.fetchval(
                "SELECT end_place_of_work($1::smallint, $2, now())", where, role_id
            )
    assert said == answer


async def test_who_offers_while_the_place_ends_is_refused_under_the_lock(
    pool, world, owner, role_id
):
    """Also where the account was read before: what it may publish is asked again."""
    await owner.execute("UPDATE practitioner_role SET ended_at = now() WHERE id = $1", role_id)
    async with entered(pool, world.accounts["bob"].id, [HAUTS]) as conn:
        assert await has_ended(conn, [world.schedules["bob"]])
        assert not await has_ended(conn, [world.schedules["ann"], world.schedules["radiology"]])


SERVICE = {
    "service": "Imagerie",
    "finess": "34ABCD001",
    "phone": "0467000002",
    "rooms": "3",
    "new_patients": "oui",
    "referral": "Ordonnance requise",
}


async def test_a_service_is_amended_and_its_number_checked(cora, owner, world):
    path = f"/coordination/{HAUTS}/services/{world.services['radiology']}"
    await cora.get(path)

    for typed, words in (
        ({"finess": "123"}, "9 chiffres ou lettres"),
        ({"rooms": "0"}, "1–50"),
        ({"rooms": ""}, "Cette cellule est attendue."),
        ({"service": ""}, "Cette cellule est attendue."),
    ):
        answer = await cora.post(path, data=SERVICE | typed)
        assert (answer.status_code, words in answer.text) == (422, True), typed
    odd = await cora.post(path, data=SERVICE | {"finess": "340000001"})
    done = await cora.post(path, data=SERVICE)

    assert odd.headers["location"] == f"{path}?fait=finess"
    assert done.headers["location"] == f"{path}?fait=enregistre"
    row = await owner.fetchrow(
        "SELECT name, finess, phone, rooms, new_patients, referral FROM healthcare_service"
    )
    assert tuple(row.values()) == (
        *("Imagerie", "34ABCD001", "0467000002", 3, True, "Ordonnance requise"),
    )
    assert await verbs(owner) == ["amend-service", "amend-service"]


@pytest.mark.parametrize("name", ["ann", "dora", "rolf", "rita", "carl"])
async def test_nobody_else_amends_a_service(sign_in, world, name):
    person = await sign_in(name)
    person.headers.update(OUR_PAGE)
    path = f"/coordination/{HAUTS}/services/{world.services['radiology']}"

    assert (await person.get(path)).status_code == 403
    assert (await person.post(path, data=SERVICE)).status_code == 403


async def test_a_service_of_another_territory_is_not_found(cora, owner, world):
    await owner.execute(
        "INSERT INTO healthcare_service (id, territory_id, location_id, name, phone)"
        " VALUES (gen_random_uuid(), 2, $1, 'Loin', '0400000000')",
        world.locations["sete"],
    )
    service_id = await owner.fetchval("SELECT id FROM healthcare_service WHERE name = 'Loin'")
    path = f"/coordination/{HAUTS}/services/{service_id}"

    assert (await cora.get(path)).status_code == 404
    assert (await cora.post(path, data=SERVICE)).status_code == 404
