"""A person protects their account, comes back, loses a phone, forgets a password: in a browser."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import asyncpg
import pyotp
import pytest
import pytest_asyncio
from playwright.async_api import expect

from slots.letters import invitation
from slots.store.ticket import GOOD_FOR, Purpose
from tests.browser import DESK, PHONE, Joins, Person, serving
from tests.pages.boards import is_live
from tests.world import PASSWORD
from workers.mails import send_mails
from workers.post import Post

pytestmark = pytest.mark.asyncio(loop_scope="session")

NO_SCRIPTS = {"java_script_enabled": False}
NEW_PASSWORD = "vent lune tiroir bleu"


@pytest_asyncio.fixture(loop_scope="session")
async def service(world, settings):
    """The service where everybody needs a second factor, under a name that passkeys know."""
    async with serving(world, replace(settings, second_factor="required")) as running:
        yield replace(running, url=running.url.replace("127.0.0.1", "localhost"))


@pytest.fixture
def letters(service):
    """What the post has carried; `await letters()` sends what is due."""
    carried = []

    async def carry(message):
        carried.append(message)

    post = Post("48h@example.test", carry, service.url)

    async def sent():
        await send_mails(service.desk, post, datetime.now(UTC))
        return carried

    return sent


async def signs_out(person: Person) -> None:
    await person.page.wait_for_load_state()  # the page's modules have begun, where scripts run
    if await person.page.locator("live-freshness[data-level]").count():
        # A socket that is still on its way when the session ends is refused, and the browser says so.
        await is_live(person)
    await person.presses("Se déconnecter")
    await is_on(person, "/connexion")


async def types_password(person: Person, name: str, password: str = PASSWORD) -> None:
    await person.goes_to("/connexion")
    await person.page.get_by_label("Adresse de courriel").fill(person.service.world.email(name))
    await person.page.get_by_label("Mot de passe", exact=True).fill(password)
    await person.presses("Se connecter")


async def secret_on(person: Person) -> pyotp.TOTP:
    """The secret that the page shows to who cannot scan."""
    shown = await person.page.locator(".steps code").text_content()
    return pyotp.TOTP(shown.replace(" ", ""))


async def adds_app(person: Person) -> pyotp.TOTP:
    await expect(person.page.locator(".qr svg")).to_be_visible()
    app = await secret_on(person)
    await person.page.get_by_label("Tapez le code").fill(app.now())
    await person.presses("Ajouter l’application")
    return app


async def recovery_codes(person: Person) -> list[str]:
    await expect(person.page.locator(".codes li")).to_have_count(10)
    codes = await person.page.locator(".codes code").all_text_contents()
    await person.page.get_by_role("link", name="C’est noté, continuer").click()
    return codes


async def gives_virtual_key(person: Person) -> None:
    """The browser has a passkey provider that asks nobody."""
    session = await person.context.new_cdp_session(person.page)
    await session.send("WebAuthn.enable")
    await session.send(
        "WebAuthn.addVirtualAuthenticator",
        {
            "options": {
                "protocol": "ctap2",
                "transport": "internal",
                "hasResidentKey": True,
                "hasUserVerification": True,
                "isUserVerified": True,
                "automaticPresenceSimulation": True,
            }
        },
    )


async def is_on(person: Person, path: str) -> None:
    await expect(person.page).to_have_url(re.compile(f"{re.escape(path)}(\\?|$)"))


@pytest.mark.parametrize("options", [{}, NO_SCRIPTS], ids=["scripts", "no scripts"])
async def test_the_first_sign_in_adds_an_app_and_the_next_asks_for_its_code(joins: Joins, options):
    ann = await joins(None, PHONE, **options)
    await types_password(ann, "ann")
    await is_on(ann, "/protection")

    app = await adds_app(ann)
    codes = await recovery_codes(ann)

    assert len(set(codes)) == 10
    await is_on(ann, "/disponibilites")
    await signs_out(ann)
    await types_password(ann, "ann")
    await is_on(ann, "/connexion/facteur")
    # The code of just now was used; that of the next half minute is taken as well.
    later = app.at(datetime.now(UTC) + timedelta(seconds=30))
    await ann.page.get_by_label("Code à 6 chiffres").fill(later)
    await ann.presses("Continuer")
    await is_on(ann, "/disponibilites")


async def test_a_wrong_code_is_said_beside_its_field_which_has_the_focus(joins: Joins):
    ann = await joins(None, PHONE)
    await types_password(ann, "ann")
    await is_on(ann, "/protection")

    await ann.page.get_by_label("Tapez le code").fill("000000")
    await ann.presses("Ajouter l’application")

    await ann.sees("Ce code ou cette clé n’est pas le bon")
    await expect(ann.page.get_by_label("Tapez le code")).to_be_focused()
    before = await secret_on(ann)
    await ann.page.get_by_label("Tapez le code").fill(before.now())  # the QR code has not changed
    await ann.presses("Ajouter l’application")
    await recovery_codes(ann)


async def test_a_passkey_is_made_once_and_then_enough_alone(joins: Joins):
    ann = await joins(None, PHONE)
    await gives_virtual_key(ann)
    await types_password(ann, "ann")

    await ann.presses("Créer une clé d’accès")
    await recovery_codes(ann)
    await is_on(ann, "/disponibilites")
    await signs_out(ann)
    await ann.goes_to("/connexion?suite=/annuaire")
    await ann.presses("Se connecter avec une clé d’accès")

    await is_on(ann, "/annuaire")
    await expect(ann.page.get_by_role("button", name="Se déconnecter")).to_be_visible()


async def test_a_passkey_answers_after_a_password_as_well(joins: Joins):
    ann = await joins(None)
    await gives_virtual_key(ann)
    await types_password(ann, "ann")
    await ann.presses("Créer une clé d’accès")
    await recovery_codes(ann)
    await signs_out(ann)

    await types_password(ann, "ann")
    await ann.presses("Utiliser ma clé d’accès")

    await is_on(ann, "/disponibilites")


async def test_where_no_key_is_shown_the_page_says_so_and_stays(joins: Joins):
    ann = await joins(None)
    await ann.context.new_cdp_session(ann.page)
    await ann.goes_to("/connexion")
    await ann.page.evaluate(
        "() => { navigator.credentials.get = () => Promise.reject(new DOMException()) }"
    )

    await ann.presses("Se connecter avec une clé d’accès")

    await ann.sees("Aucune clé n’a été présentée")
    await expect(ann.page.get_by_label("Mot de passe", exact=True)).to_be_visible()


@pytest.mark.prove
async def test_a_lost_phone_is_replaced_by_a_recovery_code_once(joins: Joins):
    ann = await joins(None, PHONE)
    await types_password(ann, "ann")
    await adds_app(ann)
    codes = await recovery_codes(ann)
    await signs_out(ann)

    for code, path in ((codes[0], "/disponibilites"), (codes[0], "/connexion/facteur")):
        await types_password(ann, "ann")
        await ann.page.get_by_text("Je n’ai plus mon appareil").click()
        await ann.page.get_by_label("Un de vos codes de secours").fill(code.lower())
        await ann.page.locator("details").get_by_role("button", name="Continuer").click()
        if path == "/disponibilites":
            await is_on(ann, path)
            await signs_out(ann)
    await ann.sees("Ce code ou cette clé n’est pas le bon")
    await expect(ann.page.get_by_label("Un de vos codes de secours")).to_be_focused()


async def invites(owner_url: str, service, name: str) -> None:
    owner = await asyncpg.connect(owner_url)
    letter = invitation("48H Chrono")
    account_id = service.world.accounts[name].id
    await owner.execute("UPDATE account SET password_hash = NULL WHERE id = $1", account_id)
    await owner.execute(
        "INSERT INTO mail (id, territory_id, account_id, subject, body, link)"
        " VALUES ($1, 0, $2, $3, $4, 'invitation')",
        *(uuid4(), account_id, letter.subject, letter.body),
    )
    await owner.close()


def link_in(message) -> str:
    return re.search(r"http://\S+/lien/\S+", message.get_content())[0]


async def test_an_invitation_leads_to_a_password_a_factor_and_the_first_screen(
    joins: Joins, owner_url, service, letters
):
    await invites(owner_url, service, "nina")
    [message] = await letters()
    assert message["To"] == service.world.email("nina")
    nina = await joins(None, PHONE)

    await nina.page.goto(link_in(message))

    await is_on(nina, "/nouveau-mot-de-passe")  # the link is in no history
    await nina.sees("Nina Petit, choisissez comment vous vous connecterez.")
    await nina.page.get_by_label("Mot de passe", exact=True).fill("motdepasse2026")
    await nina.presses("Continuer")
    await nina.sees("Ce mot de passe est trop courant")
    await expect(nina.page.get_by_label("Mot de passe", exact=True)).to_be_focused()
    await nina.page.get_by_label("Mot de passe", exact=True).fill(NEW_PASSWORD)
    await nina.presses("Continuer")
    await adds_app(nina)
    await recovery_codes(nina)
    await is_on(nina, "/disponibilites")
    # It was good once, and says what to do.
    other = await joins(None)
    await other.page.goto(link_in(message))
    await other.sees("Ce lien n’est plus valable")


@pytest.mark.prove
async def test_who_is_invited_needs_no_password_at_all(joins: Joins, owner_url, service, letters):
    await invites(owner_url, service, "nina")
    [message] = await letters()
    nina = await joins(None, PHONE)
    await gives_virtual_key(nina)
    await nina.page.goto(link_in(message))

    await nina.page.get_by_role("link", name="Créer une clé d’accès").click()
    await nina.presses("Créer une clé d’accès")
    await recovery_codes(nina)

    await is_on(nina, "/disponibilites")
    await signs_out(nina)
    await nina.goes_to("/connexion")
    await nina.presses("Se connecter avec une clé d’accès")
    await is_on(nina, "/disponibilites")


async def test_a_late_link_says_so_and_sends_another(joins: Joins, owner_url, service, letters):
    await invites(owner_url, service, "nina")
    [message] = await letters()
    owner = await asyncpg.connect(owner_url)
    await owner.execute("UPDATE ticket SET expires_at = now()")
    await owner.execute("UPDATE mail SET created_at = created_at - interval '1 day'")
    await owner.close()
    nina = await joins(None)

    await nina.page.goto(link_in(message))
    await nina.sees("Ce lien n’est plus valable")
    await nina.presses("Recevoir un nouveau lien")

    await nina.sees("un nouveau lien part à l’instant")
    [_, another] = await letters()
    assert another["Subject"] == message["Subject"]
    await nina.page.goto(link_in(another))
    await is_on(nina, "/nouveau-mot-de-passe")


@pytest.mark.prove
async def test_a_new_password_by_mail_does_not_go_round_the_second_factor(
    joins: Joins, service, letters
):
    ann = await joins(None, PHONE)
    await types_password(ann, "ann")
    await adds_app(ann)
    codes = await recovery_codes(ann)
    await letters()  # "a factor was added"
    await ann.goes_to("/compte")  # no socket there, whose refusal the browser would complain of
    pc = await joins(None, DESK)
    await pc.goes_to("/connexion")
    await pc.page.get_by_role("link", name="Mot de passe oublié").click()
    await pc.page.get_by_label("Adresse de courriel").fill(service.world.email("ann"))
    await pc.presses("Recevoir un lien")
    await pc.sees("Si un compte existe à l’adresse")
    message = (await letters())[-1]

    await pc.page.goto(link_in(message))
    await pc.page.get_by_label("Nouveau mot de passe").fill(NEW_PASSWORD)
    await pc.presses("Changer le mot de passe")

    await is_on(pc, "/connexion/facteur")
    await pc.goes_to("/disponibilites")
    await is_on(pc, "/connexion")
    await ann.page.reload()  # the session of before has ended
    await is_on(ann, "/connexion")
    await types_password(pc, "ann", NEW_PASSWORD)
    await pc.page.get_by_text("Je n’ai plus mon appareil").click()
    await pc.page.get_by_label("Un de vos codes de secours").fill(codes[1])
    await pc.page.locator("details").get_by_role("button", name="Continuer").click()
    await is_on(pc, "/disponibilites")
    subjects = [message["Subject"] for message in await letters()]
    assert subjects[0].startswith("Nouveau moyen de connexion")
    assert subjects[-1].startswith("Mot de passe changé")


async def test_asking_for_a_password_says_the_same_to_everybody(joins: Joins, service, letters):
    pc = await joins(None)
    answers = []
    for email in (service.world.email("ann"), "nobody@example.test"):
        await pc.goes_to("/mot-de-passe-oublie")
        await pc.page.get_by_label("Adresse de courriel").fill(email)
        await pc.presses("Recevoir un lien")
        await pc.sees("Si un compte existe à l’adresse")
        answers.append((await pc.page.locator("main").inner_text()).replace(email, "…"))

    assert answers[0] == answers[1]
    assert [message["To"] for message in await letters()] == [service.world.email("ann")]


@pytest.mark.prove
async def test_ones_account_shows_what_protects_it_and_keeps_the_last_of_it(joins: Joins):
    ann = await joins(None)
    await gives_virtual_key(ann)
    await types_password(ann, "ann")
    await adds_app(ann)
    await recovery_codes(ann)
    await ann.goes_to("/compte")
    await ann.sees("10 codes encore valables")

    await ann.presses("Retirer l’application d’authentification")
    await ann.sees("C’est votre dernier moyen")
    await ann.presses("Ajouter une clé d’accès ou une application")
    await ann.presses("Créer une clé d’accès")
    await is_on(ann, "/compte")
    await expect(ann.page.locator(".factors li")).to_have_count(5)
    await ann.presses("Retirer l’application d’authentification")
    await ann.sees("Retiré : ce moyen ne permet plus de se connecter.")
    await expect(ann.page.locator(".factors li")).to_have_count(4)


@pytest.mark.prove
async def test_after_a_while_changes_ask_again_who_it_is(joins: Joins, owner_url):
    ann = await joins(None)
    await types_password(ann, "ann")
    app = await adds_app(ann)
    await recovery_codes(ann)
    owner = await asyncpg.connect(owner_url)
    await owner.execute("UPDATE session SET proved_at = now() - interval '16 minutes'")
    before = await owner.fetch("SELECT code_hash FROM recovery_code ORDER BY 1")
    await ann.goes_to("/compte")

    await ann.presses("En faire de nouveaux")

    await is_on(ann, "/connexion/facteur")
    assert await owner.fetch("SELECT code_hash FROM recovery_code ORDER BY 1") == before
    later = app.at(datetime.now(UTC) + timedelta(seconds=30))
    await ann.page.get_by_label("Code à 6 chiffres").fill(later)
    await ann.presses("Continuer")
    await is_on(ann, "/compte")
    await ann.presses("En faire de nouveaux")
    await recovery_codes(ann)
    after = await owner.fetch("SELECT code_hash FROM recovery_code ORDER BY 1")
    assert not set(map(tuple, before)) & set(map(tuple, after))
    await owner.close()


@pytest.mark.prove
async def test_a_changed_password_ends_the_other_sessions(joins: Joins):
    ann = await joins(None)
    await types_password(ann, "ann")
    await adds_app(ann)
    codes = await recovery_codes(ann)
    phone = await joins(None, PHONE)
    await types_password(phone, "ann")
    await phone.page.get_by_text("Je n’ai plus mon appareil").click()
    await phone.page.get_by_label("Un de vos codes de secours").fill(codes[0])
    await phone.page.locator("details").get_by_role("button", name="Continuer").click()
    await is_on(phone, "/disponibilites")
    await phone.goes_to("/compte")  # no socket there, whose refusal the browser would complain of

    await ann.goes_to("/compte")
    await ann.page.get_by_role("link", name="Changer").click()
    await ann.page.get_by_label("Mot de passe actuel").fill("what a thief guesses")
    await ann.page.get_by_label("Nouveau mot de passe").fill(NEW_PASSWORD)
    await ann.presses("Changer le mot de passe")
    await ann.sees("Ce n’est pas votre mot de passe actuel.")
    await expect(ann.page.get_by_label("Mot de passe actuel")).to_be_focused()
    await ann.page.get_by_label("Mot de passe actuel").fill(PASSWORD)
    await ann.page.get_by_label("Nouveau mot de passe").fill(NEW_PASSWORD)
    await ann.presses("Changer le mot de passe")

    await ann.sees("Mot de passe changé. Vos autres sessions, clés et écrans sont fermés.")
    await phone.page.reload()
    await is_on(phone, "/connexion")


async def test_an_enrolment_left_open_by_somebody_else_adds_nothing_later(joins: Joins):
    """Who knew a first password cannot keep a page open until its owner has protected the account."""
    thief, ann = await joins(None), await joins(None)
    await types_password(thief, "ann")
    await is_on(thief, "/protection")
    await types_password(ann, "ann")
    await adds_app(ann)
    await recovery_codes(ann)

    app = await secret_on(thief)
    await thief.page.get_by_label("Tapez le code").fill(app.now())
    await thief.presses("Ajouter l’application")

    await is_on(thief, "/connexion")
    await thief.sees("Cette étape est terminée ou a trop duré")


async def test_an_invitation_lasts_a_day():
    assert GOOD_FOR[Purpose.INVITATION] == timedelta(hours=24)
