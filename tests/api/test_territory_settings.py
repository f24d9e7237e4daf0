"""A coordinator sets their territory, and rules its acts; nobody else does, and none of another."""

import html
import re
from dataclasses import replace

import pytest

from slots.reconcile.purge import purge
from slots.rights import MATRIX, Action, Extent, Standing
from slots.sealing import Sealer
from tests.api.conftest import offered
from tests.world import HAUTS, SLUGS, THAU

OUR_PAGE = {"sec-fetch-site": "same-origin"}
SETTINGS, ACTS = f"/coordination/{HAUTS}/reglages", f"/coordination/{HAUTS}/actes"
AS_IT_IS = {
    "version": "1",
    "horizon_h": "",
    "hold_for_s": "180",
    "holds_per_account_max": "5",
    "default_audience": ["CPTS", "SNP"],
    "search_radius_km": "",
    "contact_kept_h": "",
    "seen_horizon_h": "",
    "seen_hold_for_s": "180",
    "seen_holds_per_account_max": "5",
    "seen_default_audience": "CPTS+SNP",
    "seen_search_radius_km": "",
    "seen_contact_kept_h": "",
}
CASTING = {"label": "Pose d’un plâtre", "preparation": "Venir à jeun.", "version": "1"}
CODE = "pose-d-un-platre"


@pytest.fixture
async def cora(sign_in):
    person = await sign_in("cora")
    person.headers.update(OUR_PAGE)
    return person


@pytest.fixture
def sets(cora):
    async def what(**changed):
        return await cora.post(SETTINGS, data=AS_IT_IS | changed)

    return what


async def audited(owner, territory_id=HAUTS):
    rows = await owner.fetch(
        "SELECT verb, subject FROM audit WHERE territory_id = $1 ORDER BY id", territory_id
    )
    return [(row["verb"], row["subject"]) for row in rows]


def shown(answer) -> str:
    return " ".join(html.unescape(answer.text).split())


async def test_all_settings_are_shown_with_their_bounds_and_what_they_do(cora):
    page = shown(await cora.get("/coordination/reglages"))

    for words in (
        *("Horizon, en heures", "De 24 à 72", "48, comme toute l’installation"),
        *("Durée d’une retenue, en secondes", "De 60 à 600", "d’ordinaire 180"),
        *("Places retenues à la fois", "De 1 à 20", "d’ordinaire 5"),
        *("Publics d’un nouvel agenda", "Rayon d’une recherche, en km"),
    ):
        assert words in page.replace("\u202f", " ").replace("\xa0", " "), words
    assert f"{SETTINGS}" in (await cora.get("/coordination")).text


async def test_what_is_saved_counts_at_once_and_the_journal_says_both_values(
    service, cora, sets, owner
):
    answer = await sets(horizon_h="72", hold_for_s="90", default_audience=["CPTS", "PRO"])

    assert answer.headers["location"] == f"{SETTINGS}?fait=enregistre"
    territory = service.state["desk"].territories.by_id[HAUTS]
    assert (territory.horizon_h, territory.hold_for.total_seconds()) == (72, 90)
    assert await audited(owner) == [
        ("set", "setting horizon_h - 72"),
        ("set", "setting hold_for_s 180 90"),
        ("set", "setting default_audience CPTS+SNP CPTS+PRO"),
    ]
    journal = shown(await cora.get(f"/coordination/{HAUTS}/journal"))
    assert "durée d’une retenue (s) : 180 → 90" in journal
    assert await owner.fetchval("SELECT horizon_h FROM territory WHERE id = $1", THAU) is None


async def test_what_is_as_it_was_is_no_change(sets, owner):
    answer = await sets()

    assert answer.headers["location"].endswith("fait=inchange")
    assert await audited(owner) == []


@pytest.mark.parametrize(
    ("field", "typed", "words"),
    [
        ("horizon_h", "23", "de 24 à 72 est attendu, ou rien"),
        ("horizon_h", "73", "de 24 à 72"),
        ("hold_for_s", "59", "de 60 à 600 est attendu."),
        ("hold_for_s", "601", "de 60 à 600"),
        ("hold_for_s", "", "de 60 à 600"),
        ("hold_for_s", "deux minutes", "de 60 à 600"),
        ("holds_per_account_max", "0", "de 1 à 20"),
        ("holds_per_account_max", "21", "de 1 à 20"),
        ("default_audience", [], "au moins un public"),
        ("default_audience", ["TOUS"], "au moins un public"),
        ("search_radius_km", "7", "Choisissez un rayon de la liste"),
        ("contact_kept_h", "12", "Un nombre entier de 24 à 72"),
    ],
)
async def test_what_cannot_be_set_is_said_beside_its_field_and_the_rest_stays(
    sets, owner, field, typed, words
):
    answer = await sets(**{"horizon_h": "36", field: typed})

    assert answer.status_code == 422
    assert words in shown(answer)
    assert f'id="error-{field}"' in answer.text
    assert field == "horizon_h" or 'value="36"' in answer.text
    assert await owner.fetchval("SELECT settings_version FROM territory WHERE id = $1", HAUTS) == 1


async def test_who_saves_second_sees_what_the_first_has_set_and_saves_again(sets, owner):
    await sets(hold_for_s="240")

    second = await sets(hold_for_s="120", horizon_h="36")

    assert second.status_code == 409
    said = re.findall(r"Enregistré entre-temps : ([^<]*)", shown(second).replace("\xa0", " "))
    assert said == ["240 secondes"]  # and not what only the second has changed
    assert 'value="120"' in second.text
    assert await owner.fetchval("SELECT hold_for_s FROM territory WHERE id = $1", HAUTS) == 240
    version = re.search(r'name="version" value="(\d+)"', second.text)[1]
    again = await sets(hold_for_s="120", horizon_h="36", version=version)
    assert again.status_code == 303
    assert await owner.fetchval("SELECT hold_for_s FROM territory WHERE id = $1", HAUTS) == 120


def test_only_a_coordinator_has_the_right():
    allowed = {one for one in Standing if MATRIX[one].cell(Action.SETTINGS) is not Extent.NOTHING}

    assert allowed == {Standing.COORDINATOR}


@pytest.mark.parametrize("name", ["ann", "olga", "rolf", "carl", "rita"])
async def test_nobody_but_its_coordinator_sets_a_territory(sign_in, owner, name):
    person = await sign_in(name)
    person.headers.update(OUR_PAGE)

    answers = [
        await person.get(SETTINGS),
        await person.get(ACTS),
        await person.get("/coordination/reglages"),
        await person.get("/coordination/actes"),
        await person.post(SETTINGS, data=AS_IT_IS | {"hold_for_s": "60"}),
        await person.post(ACTS, data=CASTING),
        await person.post(f"{ACTS}/suture", data=CASTING | {"offered": "no"}),
    ]

    assert {answer.status_code for answer in answers} == {403}
    assert await owner.fetchval("SELECT hold_for_s FROM territory WHERE id = $1", HAUTS) == 180
    assert await audited(owner) == []


async def test_a_coordinator_sets_nothing_of_another_territory(cora, owner):
    there = f"/coordination/{THAU}"

    answers = [
        await cora.get(f"{there}/reglages"),
        await cora.get(f"{there}/actes"),
        await cora.post(f"{there}/reglages", data=AS_IT_IS | {"hold_for_s": "60"}),
        await cora.post(f"{there}/actes", data=CASTING),
        await cora.post(f"{there}/actes/suture", data=CASTING | {"offered": "no"}),
    ]

    assert {answer.status_code for answer in answers} == {403}
    assert await owner.fetchval("SELECT count(*) FROM act WHERE retired_at IS NOT NULL") == 0
    assert await audited(owner, THAU) == []


async def test_a_change_asks_who_it_is_once_that_was_shown_too_long_ago(cora, sets, owner):
    await owner.execute("UPDATE session SET proved_at = now() - interval '2 hours'")

    refused = await sets(hold_for_s="60")
    added = await cora.post(ACTS, data=CASTING)
    page = await cora.get(SETTINGS)

    for answer in (refused, added):
        assert answer.status_code == 303
        assert answer.headers["location"].startswith("/compte/prouver")
    assert page.headers["location"].startswith("/compte/confirmer")
    assert await owner.fetchval("SELECT hold_for_s FROM territory WHERE id = $1", HAUTS) == 180


async def test_a_hold_lasts_and_counts_as_the_territory_says(sets, sign_in, world):
    await sets(hold_for_s="60", holds_per_account_max="1")
    ann, rolf = await sign_in("ann"), await sign_in("rolf")
    first, second = [await ann.offer(world.schedules["ann"], hours=hours) for hours in (2, 4)]

    held = await rolf.hold(first)
    refused = await rolf.command("POST", f"/api/v1/slots/{second['id']}/holds")

    page = await rolf.get(
        f"/retenues/{held['id']}", params={"creneau": first["id"], "until": held["expires_at"]}
    )
    assert "Prolonger de 1 minute" in shown(page).replace("\xa0", " ")
    assert refused.json()["code"] == "too-many-holds"


async def test_a_new_schedule_begins_with_the_audiences_of_its_territory(sets, owner, world):
    await sets(default_audience=["CPTS", "PRO"])
    await owner.execute("DELETE FROM schedule WHERE id = $1", world.schedules["bob"])
    role = "SELECT id FROM practitioner_role WHERE practitioner_id = $2"

    await owner.execute(
        f"INSERT INTO schedule (id, territory_id, practitioner_role_id) VALUES ($1, 1, ({role}))",
        *(world.schedules["bob"], world.practitioners["bob"]),
    )

    found = "SELECT default_audience FROM schedule WHERE id = $1"
    assert await owner.fetchval(found, world.schedules["bob"]) == ["CPTS", "PRO"]


async def test_a_search_around_a_commune_begins_with_the_radius_of_the_territory(sets, sign_in):
    await sets(search_radius_km="20")
    ann = await sign_in("ann")

    async def selected(query):
        page = (await ann.get("/orienter", params=query)).text
        found = re.search(r'<select id="rayon".*?</select>', page, re.DOTALL)[0]
        return re.findall(r'value="(\d*)" selected', found)

    assert await selected({"commune": "Bédarieux"}) == ["20"]
    assert await selected({"commune": "Bédarieux", "rayon": "5"}) == ["5"]
    assert await selected({"commune": "Bédarieux", "rayon": ""}) == []
    assert await selected({}) == []


async def test_an_act_that_is_added_is_offered_and_searched_without_a_restart(
    service, cora, sign_in, world, owner
):
    answer = await cora.post(ACTS, data=CASTING | {"prescription_required": "yes"})

    assert answer.headers["location"] == f"{ACTS}?fait=ajoute"
    assert await audited(owner) == [("add", f"act {CODE}")]
    ann = await sign_in("ann")
    slot = await ann.offer(world.schedules["ann"], acts=[CODE])
    await owner.execute(
        "UPDATE schedule SET default_acts = ARRAY[$2] WHERE id = $1", world.schedules["bob"], CODE
    )
    for path in ("/disponibilites", "/orienter", f"/orienter?acte={CODE}", "/annuaire?quoi=platre"):
        assert CASTING["label"] in html.unescape((await ann.get(path)).text), path
    catalogue = (await ann.get("/api/v1/catalogue", params={"territory": SLUGS[HAUTS]})).json()
    [act] = [act for act in catalogue["acts"] if act["code"] == CODE]
    assert (act["preparation"], act["prescription_required"]) == ("Venir à jeun.", True)
    assert slot["acts"] == [CODE]


async def test_an_act_that_is_renamed_keeps_its_code_and_its_name_is_free(cora, owner):
    await cora.post(ACTS, data=CASTING)

    renamed = await cora.post(
        f"{ACTS}/{CODE}",
        data={"label": "Plâtre", "version": "1", "offered": "yes", "was_offered": "yes"},
    )
    again = await cora.post(ACTS, data=CASTING)

    assert (renamed.status_code, again.status_code) == (303, 303)
    rows = await owner.fetch("SELECT code, label FROM act WHERE code LIKE 'pose%' ORDER BY code")
    assert [tuple(row) for row in rows] == [(CODE, "Plâtre"), (f"{CODE}-2", CASTING["label"])]


@pytest.mark.parametrize(
    ("typed", "status", "words"),
    [
        ({"label": " "}, 422, "Le nom de l’acte est attendu"),
        ({"label": "!?"}, 422, "Le nom de l’acte est attendu"),
        ({"label": "a" * 81}, 422, "au plus 80 caractères"),
        ({"preparation": "a" * 501}, 422, "au plus 500 caractères"),
        ({"label": "SUTURE"}, 409, "Un acte de ce nom est déjà proposé"),
    ],
)
async def test_an_act_that_cannot_be_added_says_why_beside_its_field(
    cora, owner, typed, status, words
):
    answer = await cora.post(ACTS, data=CASTING | typed)

    assert answer.status_code == status
    assert words in shown(answer).replace("\xa0", " ")
    assert 'aria-invalid="true"' in answer.text
    assert await audited(owner) == []


async def test_who_changes_an_act_second_overwrites_nothing(cora, owner):
    ruled = {"version": "1", "offered": "yes", "was_offered": "yes"}
    await cora.post(f"{ACTS}/suture", data=ruled | {"label": "Points"})

    second = await cora.post(f"{ACTS}/suture", data=ruled | {"label": "Sutures"})

    assert second.status_code == 409
    assert "Quelqu’un d’autre a changé cet acte" in shown(second)
    assert 'value="Sutures"' in second.text
    assert (
        await owner.fetchval("SELECT label FROM act WHERE code = 'suture' AND territory_id = 1")
        == "Points"
    )


async def test_a_retired_act_is_offered_no_more_and_what_carries_it_stays_readable(
    cora, sign_in, world, owner
):
    ann = await sign_in("ann")
    slot = await ann.offer(world.schedules["ann"], acts=["suture"], audience=["CPTS"])
    page = shown(await cora.get(ACTS))
    assert "1 créneau à venir" in page.replace("\xa0", " ")

    gone = await cora.post(
        f"{ACTS}/suture",
        data={"label": "Suture", "version": "1", "offered": "no", "was_offered": "yes"},
    )

    assert gone.headers["location"].endswith("fait=retire")
    assert await audited(owner) == [("offer", "slot"), ("retire", "act suture")]
    again = offered(world.schedules["ann"], hours=5, acts=["suture"])
    refused = await ann.command("POST", "/api/v1/slots", {"slots": [again]})
    assert refused.status_code == 422
    assert 'value="suture"' not in (await ann.get("/disponibilites")).text
    rolf = await sign_in("rolf")
    assert "Suture" in (await rolf.get("/orienter")).text  # on the row that carries it
    amended = await ann.command("PATCH", f"/api/v1/slots/{slot['id']}", {"note": "Sonner"})
    assert amended.status_code == 200, amended.text
    await rolf.book(slot)

    back = await cora.post(
        f"{ACTS}/suture",
        data={"label": "Suture", "version": "2", "offered": "yes", "was_offered": "no"},
    )
    assert back.headers["location"].endswith("fait=remis")
    assert 'value="suture"' in (await ann.get("/disponibilites")).text


async def test_a_schedule_that_proposes_only_what_is_retired_offers_nothing_by_default(
    cora, sign_in, world, owner
):
    await owner.execute(
        "UPDATE schedule SET default_acts = '{suture}' WHERE id = $1", world.schedules["ann"]
    )
    await cora.post(
        f"{ACTS}/suture",
        data={"label": "Suture", "version": "1", "offered": "no", "was_offered": "yes"},
    )
    ann = await sign_in("ann")

    offer = offered(world.schedules["ann"], hours=3)
    refused = await ann.command("POST", "/api/v1/slots", {"slots": [offer]})

    assert refused.status_code == 422
    assert refused.json()["errors"][0]["field"] == "slots[0].acts"


async def test_a_territory_that_keeps_contacts_asks_for_them_and_one_that_does_not_erases_them(
    service, sets, owner, sign_in, world
):
    await sets(contact_kept_h="48")
    ann, rolf = await sign_in("ann"), await sign_in("rolf")
    booked = await rolf.book(await ann.offer(world.schedules["ann"]))
    contact = f"/api/v1/appointments/{booked['id']}/contact"

    assert (await rolf.put(contact, json={"name": "J. D."})).status_code == 200

    await sets(version="2", seen_contact_kept_h="48", contact_kept_h="")
    assert (await rolf.put(contact, json={"name": "J. D."})).status_code == 409
    assert await purge(service.state["desk"], service.state["desk"].clock.now()) == 1
    assert "contact_kept_h 48 -" in (await audited(owner))[-2][1]


async def test_without_a_key_to_seal_them_no_contacts_are_kept(service, sets, owner, monkeypatch):
    monkeypatch.setitem(service.state, "desk", replace(service.state["desk"], sealer=Sealer.of("")))

    answer = await sets(contact_kept_h="48")

    assert answer.status_code == 422
    assert "n’a pas de clé pour chiffrer" in shown(answer)
    assert await owner.fetchval("SELECT contact_kept_h FROM territory WHERE id = 1") is None
