"""A coordinator's table of people: a preview that writes nothing, an import of what it showed, an export."""

import re
from datetime import UTC, datetime

import asyncpg
import pytest

from slots.letters import Letter
from slots.people.table import FILE_BYTES_MAX, LINES_MAX, read
from slots.store.bringing_in import Effect, Letters, bring_in
from slots.transaction import entered
from tests.world import HAUTS, SLUGS, THAU
from web.guards import BODY_BYTES_MAX, TABLE_BODY_BYTES_MAX

OUR_PAGE = {"sec-fetch-site": "same-origin"}
HEADER = (
    "Rôles;Courriel;Prénom;Nom;RPPS;Profession;Spécialité;Lieu;Code INSEE;Téléphone;Organisation;"
    "Service;FINESS;Salles;Actes;Délégué de"
)
GP = "professionnel+orienteur;lea@example.fr;Léa;Fabre;10000000009;médecin;SM54;Cabinet du Pont;34119;0465710001;;;;;;"
NURSE = ";;Paul;Vidal;10000000017;infirmier;;Cabinet du Pont;34119;0465710001;;;;;home-visit;"
SERVICE = ";;;;;;;Imagerie;34028;0465710003;;Échographie;34ABCD001;2;ultrasound;"
SECRETARY = "délégué;eva@example.fr;Eva;Puech;;;;;;0465710003;Imagerie;;;;;10000000009+34ABCD001"
ALL = (SECRETARY, GP, NURSE, SERVICE)
COUNTED = (
    *("organisation", "location", "practitioner", "practitioner_role", "healthcare_service"),
    *("schedule", "account", "membership", "delegation", "audit", "mail", "directory_entry"),
)
PATH = f"/coordination/{HAUTS}/import"


def table(*lines):
    return "\n".join((HEADER, *lines)).encode()


async def counts(owner):
    return {table: await owner.fetchval(f"SELECT count(*) FROM {table}") for table in COUNTED}


async def verbs(owner):
    rows = await owner.fetch("SELECT verb FROM audit WHERE territory_id = $1", HAUTS)
    return {row["verb"] for row in rows}


@pytest.fixture
async def cora(sign_in):
    person = await sign_in("cora")
    person.headers.update(OUR_PAGE)
    return person


@pytest.fixture
def shown(cora):
    async def shown(content, path=PATH):
        files = {"file": ("personnes.csv", content, "text/csv")}
        return await cora.post(path, files=files)

    return shown


def hidden(page):
    return dict(re.findall(r'type="hidden" name="(content|seal)" value="([^"]*)"', page.text))


@pytest.fixture
def bring(cora, shown):
    async def bring(*lines, invite=()):
        page = await shown(table(*lines))
        assert page.status_code == 200, page.text
        return await cora.post(f"{PATH}/confirmer", data=hidden(page) | {"invite": list(invite)})

    return bring


async def test_a_preview_says_what_would_happen_and_writes_nothing(shown, owner):
    before = await counts(owner)

    page = await shown(table(*ALL))

    assert page.status_code == 200
    assert "Aperçu\xa0: 4\xa0lignes" in page.text or "Aperçu&nbsp;: 4" in page.text
    assert page.text.count("<strong>nouveau</strong>") == 4
    assert 'aria-label="Inviter Léa Fabre, lea@example.fr"' in page.text
    assert await counts(owner) == before


async def test_what_was_shown_is_imported_and_the_same_file_again_changes_nothing(
    bring, shown, owner
):
    before = await counts(owner)

    answer = await bring(*ALL)

    assert answer.headers["location"] == f"/coordination/{HAUTS}?fait=importe"
    after = await counts(owner)
    assert {name: after[name] - before[name] for name in COUNTED if name != "audit"} == {
        "organisation": 2,  # one of each place; Imagerie's is the secretary's too
        "location": 2,
        "practitioner": 2,
        "practitioner_role": 2,
        "healthcare_service": 1,
        "schedule": 3,
        "account": 2,
        "membership": 3,
        "delegation": 2,
        "mail": 2,  # to those for whom somebody acts now, and no invitation
        "directory_entry": 3,
    }
    again = await shown(table(*ALL))
    assert "tout est déjà là" in again.text
    assert "<button>Importer" not in again.text
    assert await verbs(owner) == {"import"}


async def test_an_invitation_leaves_only_where_it_is_ticked(bring, owner):
    other = GP.replace("lea@", "zoe@").replace("10000000009", "10000000025").replace("Léa", "Zoé")

    await bring(GP, other, invite=["3", "x", "9" * 5000])

    invited = await owner.fetch(
        "SELECT email FROM mail JOIN account ON account.id = account_id WHERE link = 'invitation'"
    )
    assert [row["email"] for row in invited] == ["zoe@example.fr"]


@pytest.mark.parametrize(
    ("old", "new", "column", "words"),
    [
        ("10000000009", "1234", "RPPS", "Un numéro RPPS a 11 chiffres"),
        ("10000000009", "1,00E+10", "RPPS", "Le tableur a arrondi"),
        ("34119", "34999", "Code INSEE", "Aucune commune"),
        ("lea@example.fr", "lea", "Courriel", "adresse de courriel"),
        ("professionnel", "chef", "Rôles", "l’un de ceux-ci"),
        ("SM54", "60", "Spécialité", "code de spécialité"),
        ("professionnel+orienteur", "régulateur", "Rôles", "régulation est ajoutée par"),
    ],
)
async def test_what_cannot_be_imported_is_said_beside_its_cell_and_nothing_is(
    shown, owner, old, new, column, words
):
    before = await counts(owner)

    page = await shown(table(NURSE, GP.replace(old, new, 1)))

    assert page.status_code == 422
    assert f"<td>3</td><td>{column}</td>" in page.text
    assert words in page.text
    assert 'name="seal"' not in page.text
    assert await counts(owner) == before


async def test_a_failing_check_digit_warns_and_is_imported(shown, bring, owner):
    odd = GP.replace("10000000009", "10000000008")

    page = await shown(table(odd))
    answer = await bring(odd)

    assert "RPPS 10000000008&nbsp;: Numéro inhabituel" in page.text
    assert answer.status_code == 303
    assert await owner.fetchval("SELECT count(*) FROM practitioner WHERE rpps = '10000000008'") == 1


async def test_a_changed_cell_changes_and_an_empty_one_leaves_what_is(bring, owner):
    await bring(*ALL)
    changed = (
        NURSE.replace("Vidal", "Vidal-Roux")
        .replace("home-visit", "")
        .replace("0465710001", "0465710009")
    )

    await bring(changed)

    row = await owner.fetchrow(
        "SELECT family_name, phone, default_acts FROM practitioner"
        " JOIN practitioner_role role ON role.practitioner_id = practitioner.id"
        " JOIN location ON location.id = location_id"
        " JOIN schedule ON practitioner_role_id = role.id WHERE rpps = '10000000017'"
    )
    assert tuple(row.values()) == ("Vidal-Roux", "0465710009", ["home-visit"])


async def test_what_changed_since_the_preview_is_shown_again_and_not_imported(cora, shown, owner):
    page = await shown(table(GP))
    await owner.execute(
        "INSERT INTO practitioner (id, rpps, given_name, family_name, profession)"
        " VALUES (gen_random_uuid(), '10000000009', 'Léa', 'Fabre', '10')"
    )
    before = await counts(owner)

    answer = await cora.post(f"{PATH}/confirmer", data=hidden(page))

    assert answer.status_code == 409
    assert "Quelque chose a changé depuis l’aperçu" in answer.text
    assert await counts(owner) == before
    now = await cora.post(f"{PATH}/confirmer", data=hidden(answer))
    assert now.status_code == 303


async def test_another_file_than_the_one_that_was_shown_is_not_imported(cora, shown, owner):
    one, other = hidden(await shown(table(GP))), hidden(await shown(table(NURSE)))
    before = await counts(owner)

    answer = await cora.post(f"{PATH}/confirmer", data=one | {"content": other["content"]})

    assert answer.status_code == 409
    assert await counts(owner) == before
    for broken in ({"content": "é", "seal": one["seal"]}, {}):
        assert (await cora.post(f"{PATH}/confirmer", data=broken)).status_code in (409, 422)
    assert await counts(owner) == before


async def test_without_a_file_the_page_says_so(cora):
    answer = await cora.post(PATH, data={"file": ""})

    assert answer.status_code == 422
    assert "Choisissez un fichier" in answer.text


async def test_what_is_too_large_is_refused_by_the_file_the_lines_and_the_body(shown):
    long = await shown(table(*[NURSE] * (LINES_MAX + 1)))
    large = await shown(b"x" * (FILE_BYTES_MAX + 1))
    larger = await shown(b"x" * TABLE_BODY_BYTES_MAX)

    assert (
        f"plus de {LINES_MAX}\xa0lignes" in long.text or f"plus de {LINES_MAX} lignes" in long.text
    )
    assert (large.status_code, larger.status_code) == (422, 413)
    assert "trop grand" in large.text


async def test_no_other_address_takes_a_body_of_that_size(cora):
    content = {"name": "x" * (BODY_BYTES_MAX + 1)}

    for path in (f"/coordination/{HAUTS}/inviter", f"{PATH}/confirmer/x", f"/x{PATH}"):
        assert (await cora.post(path, data=content)).status_code == 413


@pytest.mark.parametrize("name", ["ann", "olga", "rolf", "rita", "carl"])
async def test_nobody_else_imports_or_exports(sign_in, owner, name):
    person = await sign_in(name)
    person.headers.update(OUR_PAGE)
    before = await counts(owner)

    for path in (PATH, f"{PATH}/modele.csv", f"/coordination/{HAUTS}/personnes.csv"):
        assert (await person.get(path)).status_code == 403
    file = {"file": ("p.csv", table(GP), "text/csv")}
    assert (await person.post(PATH, files=file)).status_code == 403
    assert (await person.post(f"{PATH}/confirmer", data={"content": ""})).status_code == 403
    assert (await counts(owner)) | {"audit": 0} == before | {"audit": 0}  # which has the refusals


async def test_a_coordinator_does_so_in_their_own_territory_only(cora, shown):
    there = f"/coordination/{THAU}/import"

    assert (await shown(table(GP), there)).status_code == 403
    assert (await cora.get(there)).status_code == 403
    assert (await cora.get(f"/coordination/{THAU}/personnes.csv")).status_code == 403


async def refused(shown, *lines):
    page = await shown(table(*lines))
    assert page.status_code == 422, page.text
    return re.findall(r'<td class="error">([^<]*)</td>', page.text)


async def test_what_reaches_into_another_territory_is_refused(shown, owner, world):
    there = await owner.fetchval("SELECT rpps FROM practitioner WHERE given_name = 'Carl'")
    here = await owner.fetchval("SELECT rpps FROM practitioner WHERE given_name = 'Ann'")
    await owner.execute(
        "UPDATE organisation SET finess = '340000010' WHERE name = 'Cabinet de la Corniche'"
    )
    ann = world.accounts["ann"].id
    for line, words in [
        (GP.replace("10000000009", there), "travaille dans un autre territoire"),
        (GP.replace("lea@example.fr", world.email("carl")), "aussi d’un autre territoire"),
        (GP.replace(";;;;;;", ";Corniche;;340000010;;;"), "travaille aussi hors du territoire"),
        (GP.replace("10000000009", here), "qui a déjà un compte"),
        (GP.replace("lea@example.fr", world.email("ann")), "autre professionnel"),
        (GP.replace("lea@example.fr", world.email("rolf")), "relié à personne"),
        (SECRETARY.replace("eva@example.fr", world.email("cora")), "ses propres rôles"),
    ]:
        assert words in (await refused(shown, line))[0], line
    await owner.execute(
        "INSERT INTO membership (account_id, territory_id, role) VALUES ($1, 2, 'referrer')", ann
    )
    changed = f"professionnel;{world.email('ann')};Anne;Martin;{here};10;SM54;Maison de santé de Bédarieux;34028;0400000001;;;;;;"
    assert "autre territoire" in (await refused(shown, changed))[0]


async def test_a_place_stays_with_an_organisation_that_is_at_work_elsewhere_too(
    shown, owner, world
):
    await owner.execute(
        "UPDATE location SET organisation_id = (SELECT organisation_id FROM location WHERE name = 'Polyclinique des 3 Vallées')"
        " WHERE territory_id = 2"
    )
    line = ";;Paul;Vidal;10000000017;infirmier;;Polyclinique des 3 Vallées;34028;0400000003;{};;{};;home-visit;"

    assert (await shown(table(line.format("", "")))).status_code == 200
    for name, finess in (("Polyclinique des 4 Vallées", ""), ("", "34ABCD009")):
        assert "travaille aussi hors" in (await refused(shown, line.format(name, finess)))[0], name


async def test_who_was_taken_out_or_disabled_does_not_come_back_by_a_table(shown, owner, world):
    line = f"orienteur;{world.email('rolf')};Rolf;Garcia;;;;;;;Cabinet des Rosiers;;;;;"
    await owner.execute("UPDATE account SET disabled_at = now() WHERE name = 'Rolf Garcia'")
    assert "désactivé par l’administration" in (await refused(shown, line))[0]
    await owner.execute("UPDATE account SET is_withdrawn = true WHERE name = 'Rolf Garcia'")
    assert "a été retiré" in (await refused(shown, line))[0]


async def test_a_number_that_signs_somebody_in_is_not_given_by_a_table(shown, owner, world):
    await owner.execute("UPDATE practitioner SET rpps = NULL WHERE given_name = 'Bob'")
    line = f"professionnel;{world.email('bob')};Bob;Bernard;10000000009;10;SM54;Cabinet de Magalas;34147;0400000002;;;;;;"

    assert "s’ouvre aussi avec son RPPS" in (await refused(shown, line))[0]


DOORS = {
    "put_organisation": "outcome FROM put_organisation(1::smallint, 'X', '', '', '')",
    "put_place": "outcome FROM put_place(1::smallint, 'X', '34028', '', NULL, NULL, '0400000000', true, '', NULL, NULL, '', '', '')",
    "put_practitioner": "outcome FROM put_practitioner(1::smallint, NULL, '10000000009', '', 'A', 'B', '10', '', NULL, NULL)",
    "put_place_of_work": "outcome FROM put_place_of_work(1::smallint, $1, $2, true, '', NULL, NULL, '{consultation}', NULL, NULL)",
    "put_schedule": "put_schedule(1::smallint, $3, NULL, NULL, NULL, '{}', NULL, true)",
    "put_service": "outcome FROM put_service(1::smallint, NULL, $2, 'X', '', '04', '', '', NULL, NULL, '', NULL, '{consultation}', NULL, NULL)",
    "put_member": "outcome FROM put_member(1::smallint, gen_random_uuid(), 'x@example.fr', 'X Y', '', NULL, 'X', '', '', '{referrer}', NULL, true, true, NULL, '', '', now())",
}


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize(
    ("name", "territories", "is_let_in"),
    [
        ("cora", [HAUTS, 0], True),
        ("cora", [THAU, 0], False),  # coordinates it, and has not entered it
        ("ann", [HAUTS, 0], False),
        ("carl", [HAUTS, THAU, 0], False),
        (None, [HAUTS, 0], False),
    ],
)
async def test_the_doors_ask_by_themselves(pool, world, owner, door, name, territories, is_let_in):
    role = await owner.fetchval(
        "SELECT id FROM practitioner_role WHERE practitioner_id = $1", world.practitioners["ann"]
    )
    subjects = (world.practitioners["ann"], world.locations["magalas"], role)
    text = DOORS[door]
    for number, one in enumerate(subjects, start=1):
        text = text.replace(f"${number}", f"'{one}'::uuid")
    account_id = world.accounts[name].id if name else None
    before = await counts(owner)

    async with entered(pool, account_id, territories) as conn:
        outcome = await conn.fetchval(f"SELECT {text}")

    assert (outcome in set(Effect)) == is_let_in, outcome
    assert is_let_in or (outcome == "not-allowed" and await counts(owner) == before)


async def test_the_doors_reach_no_place_of_another_territory(pool, world):
    async with entered(pool, world.accounts["cora"].id, [HAUTS, 0]) as conn:
        for text in (DOORS["put_place_of_work"], DOORS["put_service"]):
            filled = text.replace("$1", f"'{world.practitioners['ann']}'::uuid")
            filled = filled.replace("$2", f"'{world.locations['sete']}'::uuid")
            assert await conn.fetchval(f"SELECT {filled}") == "not-allowed"
        theirs = DOORS["put_place_of_work"].replace("$1", f"'{world.practitioners['carl']}'::uuid")
        theirs = theirs.replace("$2", f"'{world.locations['magalas']}'::uuid")
        assert await conn.fetchval(f"SELECT {theirs}") == "person-elsewhere"
        assert await conn.fetch("SELECT * FROM people_table(2::smallint)") == []


async def test_the_application_writes_these_tables_through_the_doors_only(pool, world):
    for table in ("location", "practitioner_role", "organisation", "account", "membership"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with entered(pool, world.accounts["cora"].id, [HAUTS, 0]) as conn:
                await conn.execute(f"DELETE FROM {table}")


async def test_the_export_is_the_territory_s_alone_and_reads_as_it_was_written(
    cora, bring, owner, world
):
    await bring(*ALL)

    answer = await cora.get("/coordination/personnes.csv")

    assert answer.headers["content-type"].startswith("text/csv")
    assert "attachment" in answer.headers["content-disposition"]
    found = read(answer.content, territory=SLUGS[HAUTS])
    assert found.faults == []
    assert {line.email for line in found.lines} >= {world.email("ann"), "eva@example.fr"}
    assert "Carl" not in answer.text
    assert "Corniche" not in answer.text
    eva = next(line for line in found.lines if line.email == "eva@example.fr")
    assert eva.delegate_of == ("10000000009", "34ABCD001")
    assert await owner.fetchval("SELECT count(*) FROM audit WHERE verb = 'export'") == 1


async def test_importing_what_was_exported_changes_nothing(cora, bring, shown):
    await bring(*ALL)
    content = (await cora.get(f"/coordination/{HAUTS}/personnes.csv")).content

    page = await shown(content)

    assert page.status_code == 200, re.findall(r"<tr>.*?</tr>", page.text)
    assert "tout est déjà là" in page.text, re.findall(r"<strong>changé.*?</td>", page.text)


async def test_a_cell_that_begins_a_formula_is_escaped_and_comes_back_as_it_was(cora, owner, shown):
    await owner.execute("UPDATE practitioner SET family_name = '=1+1' WHERE given_name = 'Bob'")

    content = (await cora.get(f"/coordination/{HAUTS}/personnes.csv")).content

    assert ";'=1+1;" in content.decode()
    assert "tout est déjà là" in (await shown(content)).text


async def test_the_template_is_read_as_an_empty_table(cora):
    answer = await cora.get(f"{PATH}/modele.csv")

    found = read(answer.content, territory=SLUGS[HAUTS])
    assert (found.lines, found.faults) == ([], [])


async def test_a_table_of_the_largest_size_is_imported(bring, owner):
    lines = [
        f"professionnel;a{number}@example.fr;Ada;Nom{number};{10_000_000_000 + number};médecin;SM54;"
        f"Cabinet {number % 40};34119;0465710001;;;;;;"
        for number in range(LINES_MAX)
    ]

    assert (await bring(*lines)).status_code == 303
    assert await owner.fetchval("SELECT count(*) FROM account WHERE name LIKE 'Ada %'") == LINES_MAX


async def test_whoever_offers_or_books_waits_for_no_preview_of_what_is_there(
    cora, pool, owner, world
):
    content = (await cora.get(f"/coordination/{HAUTS}/personnes.csv")).content
    lines = read(content, territory=SLUGS[HAUTS]).lines
    letters = Letters(Letter("", ""), lambda name: Letter("", name))

    async with entered(pool, world.accounts["cora"].id, [HAUTS, 0]) as conn:
        brought = await bring_in(conn, HAUTS, lines, letters, datetime.now(UTC))
        for table in ("practitioner", "healthcare_service", "schedule", "location"):
            await owner.execute(f"SELECT FROM {table} FOR UPDATE NOWAIT")

    assert {one.effect for one in brought} == {Effect.SAME}
