"""One person who is there twice: made one where that is clear, left two where it is not."""

from uuid import UUID, uuid4

import pytest

from slots.people.twins import pairs
from slots.transaction import entered
from tests.world import HAUTS, THAU

OUR_PAGE = {"sec-fetch-site": "same-origin"}
FICHES, COMPTES = (f"/coordination/{HAUTS}/doublons/{kind}" for kind in ("fiches", "comptes"))


@pytest.fixture
async def cora(sign_in):
    person = await sign_in("cora")
    person.headers.update(OUR_PAGE)
    return person


@pytest.fixture
async def twin(owner, world):
    """Bob again: without a number, at Bédarieux, with a past slot that somebody booked."""
    practitioner, role, schedule = uuid4(), uuid4(), uuid4()
    await owner.execute(
        "INSERT INTO practitioner (id, given_name, family_name, profession, skills, languages)"
        " VALUES ($1, 'Bob', 'BERNARD', '10', '{suture}', '{fr,oc}')",
        practitioner,
    )
    await owner.execute(
        "INSERT INTO practitioner_role (id, territory_id, practitioner_id, location_id)"
        " VALUES ($1, 1, $2, $3)",
        *(role, practitioner, world.locations["bedarieux"]),
    )
    await owner.execute(
        "INSERT INTO schedule (id, territory_id, practitioner_role_id) VALUES ($1, 1, $2)",
        *(schedule, role),
    )
    await owner.execute(
        "INSERT INTO delegation (account_id, territory_id, schedule_id) VALUES ($1, 1, $2)",
        *(world.accounts["olga"].id, schedule),
    )
    await puts_slot(owner, world, practitioner, schedule, "bedarieux", hours=-5)
    return practitioner


async def puts_slot(owner, world, practitioner, schedule, place, *, hours):
    slot_id = uuid4()
    await owner.execute(
        "INSERT INTO slot (id, territory_id, schedule_id, location_id, practitioner_id, starts_at, ends_at,"
        " capacity, modality, acts, audience, offered_at, offered_by)"
        " VALUES ($1, 1, $2, $3, $4, now() + $5 * interval '1 hour', now() + ($5 + 1) * interval '1 hour',"
        " 1, 'AMB', '{consultation}', '{CPTS}', now(), $6)",
        *(slot_id, schedule, world.locations[place], practitioner, hours, world.accounts["bob"].id),
    )
    return slot_id


@pytest.fixture
def path(world, twin):
    return f"{FICHES}/{world.practitioners['bob']}/{twin}"


async def test_those_of_one_name_are_suggested_and_nobody_of_another_territory(
    cora, owner, twin, world
):
    await owner.execute(
        "UPDATE practitioner SET given_name = 'Ann', family_name = 'Martin' WHERE given_name = 'Carl'"
    )

    page = (await cora.get("/coordination/doublons")).text

    assert f"/doublons/fiches/{world.practitioners['bob']}/{twin}" in page
    assert f"/doublons/fiches/{twin}/{world.practitioners['bob']}" in page
    assert "Ann Martin" not in page


def test_names_are_the_same_whatever_their_accents_capitals_and_hyphens():
    names = ["Léa Fabre-Roux", "LEA FABRE ROUX", "Léa Fabre", "Zoé Blanc", "zoe blanc"]

    assert pairs(names, str) == [(names[0], names[1]), (names[3], names[4])]


async def test_a_second_look_shows_both_and_changes_nothing(cora, owner, path, twin):
    page = await cora.get(path)

    assert page.status_code == 200
    assert "Réunir en une seule" in page.text
    assert "Cabinet de Magalas" in page.text
    assert "Maison de santé de Bédarieux" in page.text
    assert await owner.fetchval("SELECT count(*) FROM practitioner WHERE id = $1", twin) == 1
    assert not await owner.fetchval("SELECT count(*) FROM audit WHERE verb = 'merge'")


async def test_one_stays_with_the_places_delegations_and_past_of_both(
    cora, owner, world, path, twin
):
    answer = await cora.post(path)

    assert answer.headers["location"] == f"/coordination/{HAUTS}/doublons?fait=reunis"
    bob = world.practitioners["bob"]
    row = await owner.fetchrow("SELECT * FROM practitioner WHERE family_name ILIKE 'bernard'")
    assert (row["id"], row["skills"], row["languages"]) == (bob, ["suture"], ["fr", "oc"])
    places = await owner.fetch(
        "SELECT name FROM practitioner_role JOIN location ON location.id = location_id"
        " WHERE practitioner_id = $1 ORDER BY name",
        bob,
    )
    assert [place["name"] for place in places] == [
        "Cabinet de Magalas",
        "Maison de santé de Bédarieux",
    ]
    assert await owner.fetchval("SELECT count(*) FROM slot WHERE practitioner_id = $1", bob) == 1
    assert (
        await owner.fetchval(
            "SELECT count(*) FROM delegation JOIN schedule ON schedule.id = schedule_id"
            " JOIN practitioner_role role ON role.id = practitioner_role_id WHERE practitioner_id = $1",
            bob,
        )
        == 1
    )
    audited = await owner.fetch("SELECT subject_id FROM audit WHERE verb = 'merge'")
    assert {one["subject_id"] for one in audited} == {bob, twin}
    assert (await cora.post(path)).status_code == 403  # there is no such twin any more


async def test_at_one_place_the_two_schedules_become_one_and_bookings_point_to_it(
    cora, owner, world, path, twin
):
    await owner.execute(
        "UPDATE practitioner_role SET location_id = $1 WHERE practitioner_id = $2",
        *(world.locations["magalas"], twin),
    )

    assert (await cora.post(path)).status_code == 303

    assert [row["schedule_id"] for row in await owner.fetch("SELECT schedule_id FROM slot")] == [
        world.schedules["bob"]
    ]
    assert (
        await owner.fetchval(
            "SELECT count(*) FROM delegation WHERE schedule_id = $1", world.schedules["bob"]
        )
        == 1
    )
    bob = world.practitioners["bob"]
    assert (
        await owner.fetchval(
            "SELECT count(*) FROM practitioner_role WHERE practitioner_id = $1", bob
        )
        == 1
    )
    assert (
        await owner.fetchval("SELECT count(*) FROM schedule WHERE id = $1", world.schedules["bob"])
        == 1
    )


REASONS = {
    "two numbers": ("UPDATE practitioner SET rpps = '10000000009' WHERE id = $1", "RPPS diffèrent"),
    "another name": (
        "UPDATE practitioner SET given_name = 'Rob' WHERE id = $1",
        "une même personne",
    ),
    "another profession": ("UPDATE practitioner SET profession = '60' WHERE id = $1", "profession"),
    "two accounts": (
        "UPDATE account SET practitioner_id = $1 WHERE name = 'Rolf Garcia'",
        "Chacune des deux fiches a un compte",
    ),
    "a place elsewhere": (
        (
            "INSERT INTO practitioner_role (id, territory_id, practitioner_id, location_id)"
            " SELECT gen_random_uuid(), 2, $1, id FROM location WHERE territory_id = 2"
        ),
        "travaille dans un autre territoire",
    ),
    "something to come": (
        (
            "UPDATE slot SET starts_at = now() + interval '1 hour', ends_at = now() + interval '2 hours'"
            " WHERE practitioner_id = $1"
        ),
        "encore à venir",
    ),
    "two places at once": (
        (
            "INSERT INTO slot (id, territory_id, schedule_id, location_id, practitioner_id, starts_at, ends_at,"
            " capacity, modality, acts, audience, offered_at, offered_by)"
            " SELECT gen_random_uuid(), 1, schedule.id, role.location_id, role.practitioner_id, slot.starts_at, slot.ends_at,"
            " 1, 'AMB', '{consultation}', '{CPTS}', now(), slot.offered_by"
            " FROM slot, schedule JOIN practitioner_role role ON role.id = practitioner_role_id"
            " JOIN practitioner ON practitioner.id = role.practitioner_id"
            " WHERE slot.practitioner_id = $1 AND practitioner.family_name = 'Bernard'"
        ),
        "au même moment",
    ),
    "a number that would open an account": (
        (
            "WITH number AS (UPDATE practitioner SET rpps = NULL WHERE family_name = 'Bernard')"
            " UPDATE practitioner SET rpps = '10000000009' WHERE id = $1"
        ),
        "s’ouvre aussi avec son RPPS",
    ),
}


@pytest.mark.parametrize("why", REASONS)
async def test_what_is_unclear_stays_two_and_says_why(cora, owner, path, twin, why):
    statement, words = REASONS[why]
    await owner.execute(statement, twin)

    look = await cora.get(path)
    answer = await cora.post(path)

    assert words in look.text
    assert "Réunir en une seule" not in look.text
    assert answer.status_code == 409
    assert await owner.fetchval("SELECT count(*) FROM practitioner WHERE id = $1", twin) == 1


@pytest.mark.parametrize("is_withdrawn", [True, False])
async def test_of_disabled_accounts_only_the_installations_stay_tied(
    cora, owner, world, path, twin, is_withdrawn
):
    """So that whoever it has disabled is found, and comes back by no other address."""
    await owner.execute(
        "UPDATE account SET practitioner_id = $1, disabled_at = now(), is_withdrawn = $2"
        " WHERE name = 'Rolf Garcia'",
        *(twin, is_withdrawn),
    )

    assert (await cora.post(path)).status_code == 303

    tied = await owner.fetchval("SELECT practitioner_id FROM account WHERE name = 'Rolf Garcia'")
    assert tied is None if is_withdrawn else tied is not None


@pytest.fixture
async def account_twin(owner, world):
    """Rolf again, with another address: a delegate who has never come."""
    account_id = uuid4()
    await owner.execute(
        "INSERT INTO account (id, email, name, organisation_id)"
        " SELECT $1, 'rolf2@example.test', 'Rolf GARCIA', organisation_id FROM account WHERE name = 'Rolf Garcia'",
        account_id,
    )
    await owner.execute(
        "INSERT INTO membership (account_id, territory_id, role) VALUES ($1, 1, 'delegate')",
        account_id,
    )
    await owner.execute(
        "INSERT INTO delegation (account_id, territory_id, schedule_id) VALUES ($1, 1, $2)",
        *(account_id, world.schedules["nina"]),
    )
    return account_id


async def test_an_account_that_was_never_used_is_closed_and_the_other_has_its_roles(
    cora, owner, world, account_twin
):
    rolf = world.accounts["rolf"].id
    path = f"{COMPTES}/{rolf}/{account_twin}"

    look = await cora.get(path)
    answer = await cora.post(path)

    assert "ce compte n’a jamais servi" in look.text
    assert answer.status_code == 303
    roles = await owner.fetch(
        "SELECT account_id, role FROM membership WHERE role IN ('delegate', 'referrer') AND account_id = ANY ($1)",
        [rolf, account_twin],
    )
    assert {(row["account_id"], row["role"]) for row in roles} == {
        (rolf, "delegate"),
        (rolf, "referrer"),
    }
    assert (
        await owner.fetchval("SELECT schedule_id FROM delegation WHERE account_id = $1", rolf)
        == world.schedules["nina"]
    )
    assert await owner.fetchval("SELECT is_withdrawn FROM account WHERE id = $1", account_twin)


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("UPDATE account SET password_hash = 'x' WHERE id = $1", "a déjà servi"),
        ("UPDATE account SET name = 'Rosa' WHERE id = $1", "une même personne"),
        ("UPDATE account SET is_administrator = true WHERE id = $1", "aussi d’un autre territoire"),
        (
            "INSERT INTO membership (account_id, territory_id, role) VALUES ($1, 2, 'referrer')",
            "aussi d’un autre territoire",
        ),
        (
            (
                "INSERT INTO session (id_hash, account_id, created_at, seen_at, expires_at)"
                " VALUES ('x', $1, now(), now(), now())"
            ),
            "a déjà servi",
        ),
        (
            "UPDATE account SET practitioner_id = (SELECT id FROM practitioner WHERE given_name = 'Bob') WHERE id = $1",
            "relié à personne",
        ),
        (
            "INSERT INTO membership (account_id, territory_id, role) VALUES ($1, 1, 'regulator')",
            "régulation",
        ),
    ],
)
async def test_accounts_that_are_not_clearly_one_stay_two(
    cora, owner, world, account_twin, statement, words
):
    await owner.execute(statement, account_twin)
    path = f"{COMPTES}/{world.accounts['rolf'].id}/{account_twin}"

    assert words in (await cora.get(path)).text
    assert (await cora.post(path)).status_code == 409
    assert (
        await owner.fetchval("SELECT disabled_at FROM account WHERE id = $1", account_twin) is None
    )


async def test_nobody_merges_themselves(cora, owner, world, account_twin):
    await owner.execute("UPDATE account SET name = 'Cora Faure' WHERE id = $1", account_twin)

    answer = await cora.post(f"{COMPTES}/{world.accounts['cora'].id}/{account_twin}")

    assert answer.status_code == 409
    assert "ses propres rôles" in answer.text


@pytest.mark.parametrize("name", ["ann", "bob", "olga", "rolf", "rita", "carl"])
async def test_nobody_else_merges_anything(sign_in, owner, path, twin, name):
    person = await sign_in(name)
    person.headers.update(OUR_PAGE)

    for where in (f"/coordination/{HAUTS}/doublons", path):
        assert (await person.get(where)).status_code == 403
    assert (await person.post(path)).status_code == 403
    assert await owner.fetchval("SELECT count(*) FROM practitioner WHERE id = $1", twin) == 1


async def test_nothing_is_merged_with_another_territory_s(cora, world, path, twin):
    carl, rolf = world.practitioners["carl"], world.accounts["rolf"].id

    for stay, gone in ((carl, twin), (twin, carl)):
        assert (await cora.post(f"{FICHES}/{stay}/{gone}")).status_code == 403
    assert (await cora.post(path.replace(f"/{HAUTS}/", f"/{THAU}/"))).status_code == 403
    assert (await cora.post(f"{COMPTES}/{rolf}/{world.accounts['carl'].id}")).status_code == 403
    assert (await cora.post(f"{COMPTES}/{rolf}/{rolf}")).status_code == 403
    assert (await cora.get(path.replace("fiches", "autres"))).status_code == 404


@pytest.mark.parametrize(
    ("name", "territories", "answer"),
    [
        ("cora", [HAUTS, 0], "changed"),
        ("cora", [THAU, 0], "not-allowed"),
        ("bob", [HAUTS, 0], "not-allowed"),
        (None, [HAUTS, 0], "not-allowed"),
    ],
)
@pytest.mark.parametrize("door", ["merge_practitioners", "merge_accounts"])
async def test_the_doors_ask_by_themselves(
    pool, world, twin, account_twin, door, name, territories, answer
):
    both: tuple[UUID, UUID] = {
        "merge_practitioners": (world.practitioners["bob"], twin),
        "merge_accounts": (world.accounts["rolf"].id, account_twin),
    }[door]
    async with entered(pool, world.accounts[name].id if name else None, territories) as conn:
        said = await conn.fetchval(f"SELECT {door}(1::smallint, $1, $2, now())", *both)
    assert said == answer
