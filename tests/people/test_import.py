"""A CPTS brings in its people: all or nothing, and again to update them."""

import csv
import stat
import subprocess
import sys
from datetime import timedelta

import pytest

from slots.secret_id import hash_of
from tests.world import make_world
from workers.people.command import bring_in

BASE_URL = "https://chrono.example"
TERRITORY = "hauts-cantons-et-vignobles"
HEADER = (
    "territory,role,email,given_name,family_name,rpps,profession,specialty,place,insee,phone,"
    "organisation,service,rooms,acts,delegate_of,finess"
)
GP = f"{TERRITORY},professional+referrer,lea@example.fr,Léa,Fabre,10000000009,10,SM54,Cabinet du Pont,34119,0465710001,,,,,,"
SECOND_PLACE = f"{TERRITORY},professional,lea@example.fr,Léa,Fabre,10000000009,10,SM54,Cabinet de Magalas,34147,0465710002,,,,,,"
NURSE = f"{TERRITORY},,,Paul,Vidal,10000000017,60,,Cabinet du Pont,34119,0465710001,,,,home-visit,,"
SERVICE = f"{TERRITORY},,,,,,,,Imagerie,34028,0465710003,,Échographie,2,ultrasound,,34ABCD001"
SECRETARY = f"{TERRITORY},delegate,eva@example.fr,Eva,Puech,,,,,,0465710003,Imagerie,,,,10000000009+34ABCD001,"
REGULATOR = f'{TERRITORY},regulator,sam@example.fr,Sam,Rey,,,,,,15,"SAMU 34, Centre 15",,,,,'
# The delegate comes first: for whom she acts stands below her.
ALL = (SECRETARY, GP, SECOND_PLACE, NURSE, SERVICE, REGULATOR.replace(",15,", ",0467000015,"))


@pytest.fixture
async def world(owner):
    return await make_world(owner)


@pytest.fixture
def bring(owner, world, tmp_path):
    async def bring(*lines, dry_run=False, name="links.csv"):
        content = "\n".join((HEADER, *lines)).encode()
        return await bring_in(
            owner, content, dry_run=dry_run, links=tmp_path / name, base_url=BASE_URL
        )

    return bring


COUNTED = (
    *("organisation", "location", "practitioner", "practitioner_role", "healthcare_service"),
    *("schedule", "account", "membership", "delegation", "audit"),
)


async def counts(owner):
    return {table: await owner.fetchval(f"SELECT count(*) FROM {table}") for table in COUNTED}


async def test_people_places_services_and_accounts_are_brought_in(bring, owner):
    before = await counts(owner)

    status = await bring(*ALL)

    after = await counts(owner)
    assert status == 0
    assert {table: after[table] - before[table] for table in COUNTED} == {
        "organisation": 2,  # the Centre 15 and the practice at Magalas were there
        "location": 2,  # the practice at Magalas was there
        "practitioner": 2,
        "practitioner_role": 3,
        "healthcare_service": 1,
        "schedule": 4,
        "account": 3,
        "membership": 4,
        "delegation": 3,  # both schedules of the GP, and the service's
        "audit": 4,
    }


async def test_bringing_in_the_same_table_again_changes_nothing(bring, owner, tmp_path):
    await bring(*ALL)
    before = await counts(owner)
    hashes = await owner.fetch("SELECT email, password_hash FROM account ORDER BY email")

    status = await bring(*ALL, name="again.csv")

    assert status == 0
    assert await counts(owner) == before
    assert await owner.fetch("SELECT email, password_hash FROM account ORDER BY email") == hashes
    assert not (tmp_path / "again.csv").exists()


async def test_a_changed_line_updates_by_rpps_and_by_address(bring, owner):
    await bring(GP)
    changed = GP.replace("Léa,Fabre", "Léa,Fabre-Roux").replace("0465710001", "0465710009")

    await bring(changed)

    row = await owner.fetchrow("SELECT * FROM practitioner WHERE rpps = '10000000009'")
    account = await owner.fetchrow("SELECT * FROM account WHERE email = 'lea@example.fr'")
    assert row["family_name"] == "Fabre-Roux"
    assert (account["name"], account["phone"]) == ("Léa Fabre-Roux", "0465710009")


async def test_what_an_empty_cell_leaves_out_stays(bring, owner):
    await bring(NURSE)

    await bring(NURSE.replace("home-visit", ""))

    acts = await owner.fetchval(
        "SELECT default_acts FROM schedule JOIN practitioner_role r ON r.id = practitioner_role_id"
        " JOIN practitioner p ON p.id = r.practitioner_id WHERE rpps = '10000000017'"
    )
    assert acts == ["home-visit"]


async def test_access_and_how_to_refer_are_brought_in_and_an_empty_cell_leaves_them(
    owner, world, tmp_path
):
    header = f"{HEADER},step_free,parking,access,new_patients,referral"

    async def bring(*lines):
        content = "\n".join((header, *lines)).encode()
        return await bring_in(
            owner, content, dry_run=False, links=tmp_path / "none.csv", base_url=BASE_URL
        )

    assert (
        await bring(f"{NURSE},oui,non,Deuxième porte,non,Appeler", f"{SERVICE},,,,oui,Ordonnance")
        == 0
    )
    assert await bring(f"{NURSE},,,,,", f"{SERVICE},,,,,") == 0

    nurse = await owner.fetchrow(
        "SELECT step_free, parking, access, new_patients, referral FROM practitioner_role r"
        " JOIN practitioner p ON p.id = r.practitioner_id JOIN location l ON l.id = r.location_id"
        " WHERE rpps = '10000000017'"
    )
    service = await owner.fetchrow(
        "SELECT new_patients, referral FROM healthcare_service WHERE finess = '34ABCD001'"
    )
    assert tuple(nurse) == (True, False, "Deuxième porte", False, "Appeler")
    assert tuple(service) == (True, "Ordonnance")


async def test_one_fault_and_nothing_is_brought_in(bring, owner, capsys):
    before = await counts(owner)

    status = await bring(GP, NURSE.replace("34119", "99999"))

    assert status == 1
    assert "line 3, insee: no commune has the code 99999" in capsys.readouterr().err
    assert await counts(owner) == before


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (GP.replace(TERRITORY, "elsewhere"), "line 2, territory"),
        (NURSE.replace("home-visit", "magic"), "line 2, acts"),
        (SERVICE.replace("ultrasound", ""), "line 2, acts"),
        (SECRETARY, "line 2, delegate_of"),
        (GP.replace("lea@example.fr", "ann@example.test"), "line 2, email"),
    ],
)
async def test_what_only_the_database_knows_is_a_fault_too(bring, owner, capsys, line, words):
    before = await counts(owner)

    assert await bring(line) == 1
    assert words in capsys.readouterr().err
    assert await counts(owner) == before


async def test_a_dry_run_says_what_it_would_do_and_does_nothing(bring, owner, capsys, tmp_path):
    before = await counts(owner)

    status = await bring(*ALL, dry_run=True)

    assert status == 0
    assert "nothing was written" in capsys.readouterr().out
    assert await counts(owner) == before
    assert not (tmp_path / "links.csv").exists()


async def test_a_wrong_luhn_digit_warns_and_is_brought_in(bring, owner, capsys):
    status = await bring(GP.replace("10000000009", "10000000008"))

    assert status == 0
    assert "warning: line 2, rpps" in capsys.readouterr().out


async def test_the_links_to_new_accounts_are_in_a_private_file(bring, owner, tmp_path):
    await bring(*ALL)

    path = tmp_path / "links.csv"
    rows = list(csv.DictReader(path.read_text().splitlines()))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert {row["email"] for row in rows} == {"lea@example.fr", "eva@example.fr", "sam@example.fr"}
    for row in rows:
        where, _, token = row["link"].rpartition("/")
        kept = await owner.fetchrow(
            "SELECT purpose, expires_at - opened_at AS lasts, password_hash"
            "  FROM ticket JOIN account ON account.id = account_id"
            " WHERE email = $1 AND id_hash = $2",
            *(row["email"], hash_of(token)),
        )
        assert where == f"{BASE_URL}/lien"
        assert tuple(kept) == ("invitation", timedelta(hours=24), None)


async def test_when_the_links_cannot_be_written_nothing_is_brought_in(bring, owner, tmp_path):
    (tmp_path / "links.csv").touch()
    before = await counts(owner)

    with pytest.raises(FileExistsError):
        await bring(*ALL)

    assert await counts(owner) == before


async def test_two_practices_of_one_name_in_two_towns_stay_apart(bring, owner):
    await bring(GP, SECOND_PLACE.replace("Cabinet de Magalas", "Cabinet du Pont"))

    owners = await owner.fetch(
        "SELECT DISTINCT organisation_id FROM location WHERE name = 'Cabinet du Pont'"
    )
    assert len(owners) == 2


def test_the_command_explains_its_columns():
    command = [sys.executable, "-m", "workers.command", "people", "import", "--help"]

    answer = subprocess.run(command, capture_output=True, text=True, check=True)

    assert "delegate_of" in answer.stdout
