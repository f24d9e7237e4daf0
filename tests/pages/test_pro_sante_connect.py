"""Signing in by Pro Santé Connect, in a browser and against a real provider on loopback."""

import re
from dataclasses import replace

import asyncpg
import pytest
import pytest_asyncio
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import expect

from slots.secret_id import hash_of, new_secret_id
from tests.browser import PHONE, Joins, Person, serving
from tests.openid_provider import CLIENT_ID, CLIENT_SECRET, openid_provider

pytestmark = pytest.mark.asyncio(loop_scope="session")

REFUSED = "Pro Santé Connect n’a pas confirmé votre identité"
AWAY = "Pro Santé Connect ne répond pas"


@pytest_asyncio.fixture(loop_scope="session")
async def provider():
    async with openid_provider() as running:
        yield running


@pytest_asyncio.fixture(loop_scope="session")
async def service(world, settings, provider):
    asked = replace(
        settings,
        second_factor="required",
        psc_discovery_url=provider.discovery_url,
        psc_client_id=CLIENT_ID,
        psc_client_secret=CLIENT_SECRET,
    )
    async with serving(world, asked) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="session")
async def ledger(owner_url):
    conn = await asyncpg.connect(owner_url)
    yield conn
    await conn.close()


@pytest_asyncio.fixture(loop_scope="session")
async def ann_there(provider, ledger):
    """At the provider it is Ann who signs in."""
    rpps = await ledger.fetchval("SELECT rpps FROM practitioner WHERE given_name = 'Ann'")
    provider.knows(rpps, "Ann", "Martin")


async def goes_there(person: Person, after: str = "") -> None:
    await person.goes_to("/connexion" + after)
    await person.page.get_by_role("link", name="Se connecter avec Pro Santé Connect").click()


async def is_on(person: Person, path: str) -> None:
    await expect(person.page).to_have_url(re.compile(f"{re.escape(path)}(\\?|$)"))


@pytest.mark.parametrize("scripts", [True, False])
async def test_a_professional_signs_in_and_out_here_and_there(
    joins: Joins, provider, ann_there, ledger, scripts
):
    ann = await joins(None, PHONE, java_script_enabled=scripts)

    await goes_there(ann, "?suite=/annuaire")

    await is_on(ann, "/annuaire")
    [asked] = provider.asked
    assert "prompt" not in asked
    assert asked["response_type"] == "code"
    assert asked["acr_values"] == "eidas1"
    assert asked["code_challenge_method"] == "S256"
    assert len(asked["state"]) > 40
    assert len(asked["nonce"]) > 40
    assert await ledger.fetchval("SELECT proof FROM session") == "psc"
    kept = await ledger.fetchval("SELECT id_token FROM session")
    assert b"eyJ" not in kept  # sealed
    await ann.presses("Se déconnecter")
    await is_on(ann, "/connexion")
    [left] = provider.signed_out
    assert left["id_token_hint"].count(".") == 2
    await ann.goes_to("/annuaire")
    await is_on(ann, "/connexion")


@pytest.mark.parametrize(
    "fault",
    [
        *("issuer", "audience", "nonce", "expired", "unsigned"),
        *(
            pytest.param(fault, marks=pytest.mark.prove)
            for fault in (
                *("state", "authorized party", "acr", "shared secret", "other key"),
                *("other person", "no number", "adeli"),
            )
        ),
    ],
)
async def test_what_is_not_to_be_trusted_lets_nobody_in(
    joins: Joins, provider, ann_there, ledger, fault
):
    provider.faults = {fault}
    ann = await joins(None)

    await goes_there(ann)

    await ann.sees(REFUSED)
    assert await ledger.fetchval("SELECT count(*) FROM session") == 0
    provider.faults = set()
    await goes_there(ann)  # and the next try is as good as any
    await is_on(ann, "/disponibilites")


@pytest.mark.parametrize("fault", ["away", "other site"])
async def test_a_provider_that_is_away_or_another_is_not_asked(
    joins: Joins, provider, ann_there, fault
):
    provider.faults = {fault}
    ann = await joins(None)

    await goes_there(ann)

    await ann.sees(AWAY)
    assert provider.asked == []


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
async def test_another_sites_link_begins_no_session_and_leads_to_the_door(
    joins: Joins, provider, service, site
):
    ann = await joins(None)

    answer = await ann.context.request.get(
        service.url + "/connexion/psc?suite=/annuaire",
        headers={"sec-fetch-site": site},
        max_redirects=0,
    )

    assert (answer.status, answer.headers["location"]) == (303, "/connexion?suite=%2Fannuaire")
    assert provider.asked == []


async def test_who_has_a_session_here_is_asked_there_who_they_are(
    joins: Joins, provider, ann_there
):
    ann = await joins(None, PHONE)
    await goes_there(ann)
    await is_on(ann, "/disponibilites")

    await ann.page.goto(ann.service.url + "/connexion/psc")  # as a step-up does, and a lock

    assert [asked.get("prompt") for asked in provider.asked] == [None, "login"]


@pytest.mark.prove
async def test_an_answer_counts_once_and_only_in_the_browser_that_asked(
    joins: Joins, provider, ann_there, ledger, service
):
    ann, thief = await joins(None), await joins(None)
    seen = []
    ann.page.on("request", lambda request: seen.append(request.url))
    await goes_there(ann)
    await is_on(ann, "/disponibilites")
    [answer] = [url for url in seen if "/connexion/psc/retour" in url]

    await thief.page.goto(answer)
    await thief.sees("Cette étape est terminée ou a trop duré")
    await ann.page.goto(answer)

    assert await ledger.fetchval("SELECT count(*) FROM session") == 1


async def test_a_number_that_nobody_has_asks_a_coordinator_and_then_comes_in(
    joins: Joins, provider, ledger, service
):
    provider.knows("10009876543", "Zoé", "Blanc Le Goff", profession="60")
    zoe = await joins(None, PHONE)
    await goes_there(zoe)
    await is_on(zoe, "/admission")
    await zoe.sees("Zoé Blanc Le Goff, Pro Santé Connect vous reconnaît")
    assert (await Axe().run(zoe.page)).response["violations"] == []
    await zoe.page.get_by_label("Lieu d’exercice").fill("Cabinet des Lilas")
    await zoe.page.get_by_label("Adresse de courriel").fill("zoe@example.fr")
    await zoe.presses("Demander l’accès")
    await zoe.sees("Un courriel part à l’instant")
    assert not await ledger.fetchval("SELECT count(*) FROM admission")  # until she has read it
    await reads_the_mail(zoe, ledger)
    await zoe.sees("La coordination de CPTS Hauts Cantons")
    await goes_there(zoe)
    await is_on(zoe, "/admission")  # still nobody

    cora = await joins(None)
    await _as_coordinator(cora, ledger, service)
    await cora.goes_to("/coordination")
    await cora.sees("1 demande d’accès")
    await cora.sees("Infirmier")
    await cora.presses("Accepter Zoé Blanc Le Goff")
    await cora.sees("C’est fait : cette personne entre avec Pro Santé Connect.")

    await goes_there(zoe)
    await is_on(zoe, "/orienter")
    roles = await ledger.fetch(
        "SELECT role FROM membership JOIN account ON account.id = account_id WHERE email = 'zoe@example.fr'"
    )
    assert [row["role"] for row in roles] == ["referrer"]
    profession = "SELECT profession FROM practitioner WHERE rpps = '10009876543'"
    assert await ledger.fetchval(profession) == "60"


async def reads_the_mail(person: Person, ledger) -> None:
    """Opens the link that was written to the address typed, and sends the wish."""
    body = await ledger.fetchval("SELECT body FROM mail WHERE recipient = 'zoe@example.fr'")
    await person.page.goto(re.search(r"http://\S+/admission/\S+", body)[0])
    await person.presses("Envoyer ma demande")


async def _as_coordinator(cora: Person, ledger, service) -> None:
    """A session of Cora's, as if she had signed in with a second factor."""

    session_id = new_secret_id()
    await ledger.execute(
        "INSERT INTO session (id_hash, account_id, created_at, seen_at, expires_at, proof)"
        " VALUES ($1, $2, now(), now(), now() + interval '1 hour', 'totp')",
        *(hash_of(session_id), service.world.accounts["cora"].id),
    )
    await cora.context.add_cookies([{"name": "chrono48", "value": session_id, "url": service.url}])


@pytest.mark.prove
async def test_a_refused_admission_opens_nothing(joins: Joins, provider, ledger, service):
    provider.knows("10009876543", "Zoé", "Blanc")
    zoe, cora = await joins(None), await joins(None)
    await goes_there(zoe)
    await zoe.page.get_by_label("Lieu d’exercice").fill("Cabinet des Lilas")
    await zoe.page.get_by_label("Adresse de courriel").fill("zoe@example.fr")
    await zoe.presses("Demander l’accès")
    await zoe.sees("Un courriel part à l’instant")
    await reads_the_mail(zoe, ledger)
    await zoe.sees("Demande envoyée")
    await _as_coordinator(cora, ledger, service)
    await cora.goes_to("/coordination")

    await cora.presses("Refuser Zoé Blanc")

    await cora.sees("Demande refusée.")
    await goes_there(zoe)
    await is_on(zoe, "/admission")
    assert await ledger.fetchval("SELECT count(*) FROM account WHERE email = 'zoe@example.fr'") == 0


async def test_a_disabled_account_does_not_come_in_this_way_either(
    joins: Joins, provider, ann_there, ledger
):
    await ledger.execute("UPDATE account SET disabled_at = now() WHERE name = 'Ann Martin'")
    ann = await joins(None)

    await goes_there(ann)

    await is_on(ann, "/admission")
    assert await ledger.fetchval("SELECT count(*) FROM session") == 0


async def test_where_it_is_not_set_up_nothing_of_it_is_there(world, settings, joins):
    async with serving(world, settings) as without:
        person = await joins(None)
        await person.page.goto(without.url + "/connexion")
        await expect(person.page.get_by_text("Pro Santé Connect")).to_have_count(0)
        answer = await person.context.request.get(without.url + "/connexion/psc")
        assert answer.status == 404


async def test_whom_the_installation_disabled_no_coordinator_lets_in_by_another_address(
    joins: Joins, provider, ann_there, ledger, service
):
    await ledger.execute("UPDATE account SET disabled_at = now() WHERE name = 'Ann Martin'")
    ann, cora = await joins(None), await joins(None)
    await goes_there(ann)
    await ann.page.get_by_label("Lieu d’exercice").fill("Ailleurs")
    await ann.page.get_by_label("Adresse de courriel").fill("zoe@example.fr")
    await ann.presses("Demander l’accès")
    await ann.sees("Un courriel part à l’instant")
    await reads_the_mail(ann, ledger)
    await ann.sees("Demande envoyée")
    await _as_coordinator(cora, ledger, service)
    await cora.goes_to("/coordination")

    await cora.presses("Accepter Ann Martin")

    await cora.sees("Cette demande est déjà traitée")
    assert not await ledger.fetchval("SELECT count(*) FROM account WHERE email = 'zoe@example.fr'")


async def test_a_provider_that_answers_with_a_page_is_away(joins: Joins, provider, ann_there):
    provider.faults = {"page"}
    ann = await joins(None)

    await goes_there(ann)

    await ann.sees(AWAY)


async def test_who_has_only_this_shows_again_who_they_are_by_it(
    joins: Joins, provider, ann_there, ledger
):
    await ledger.execute("UPDATE account SET password_hash = NULL WHERE name = 'Ann Martin'")
    ann = await joins(None)
    await goes_there(ann)
    await is_on(ann, "/disponibilites")
    await ledger.execute("UPDATE session SET proved_at = now() - interval '20 minutes'")
    before = await ledger.fetchrow("SELECT id, created_at, expires_at, id_hash FROM session")
    signed_in = await ann.context.cookies()

    await ann.goes_to("/delegations")
    await expect(ann.page.get_by_label("Votre mot de passe")).to_have_count(0)
    await ann.page.get_by_role("link", name="Avec Pro Santé Connect").click()

    await is_on(ann, "/delegations")
    # The same session under another token: the old one opens nothing, and signing out there stays possible.
    after = await ledger.fetchrow("SELECT id, created_at, expires_at, id_hash FROM session")
    assert after[:3] == before[:3]
    assert after["id_hash"] != before["id_hash"]
    thief = await joins(None)
    await thief.context.add_cookies(signed_in)
    await thief.goes_to("/compte")
    await is_on(thief, "/connexion")
    await ann.presses("Se déconnecter")
    await is_on(ann, "/connexion")
    assert len(provider.signed_out) == 1
