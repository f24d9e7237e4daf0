"""Two steps to a session: what each lets in, and what it keeps out."""

import asyncio
import html
import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pyotp
import pytest

from slots.sealing import Sealer
from slots.second_factor import new_app_secret, new_recovery_codes, recovery_hash
from slots.store.ticket import GOOD_FOR, TRIES_MAX, Purpose
from tests.api.conftest import Running, make_boards_ready, problem
from tests.authenticator import Authenticator
from tests.conftest import SECRET_KEYS
from web.app import create_app
from web.second_factor import APP_PLACE

SESSION, FACTOR, PASSKEY = "/api/v1/session", "/api/v1/session/factor", "/api/v1/session/passkey"
LATER = timedelta(seconds=30)
OUR_PAGE = {"sec-fetch-site": "same-origin"}
# What a session keeps when its token changes.
GOES_ON = (
    "SELECT id, account_id, created_at, expires_at, ended_at, device, kind, locked_at FROM session"
)


class Watch:
    """A clock that stands until the test moves it. Redis goes by its own."""

    script_ms = ""

    def __init__(self):
        self.at = datetime.now(UTC)

    def now(self):
        return self.at

    def moves(self, by):
        self.at += by


@pytest.fixture
def watch():
    return Watch()


@pytest.fixture
async def strict(world, settings, watch):
    """The service where everybody needs a second factor, under a name that passkeys know."""
    required = replace(settings, second_factor="required", base_url="http://localhost:8048")
    app = create_app(required, watch)
    async with app.router.lifespan_context(app) as state:
        await make_boards_ready(state["desk"])
        yield Running(app, dict(state), required.base_url)


@pytest.fixture
async def person(strict):
    async with strict.client() as person:
        yield person


@pytest.fixture
async def app(owner, world):
    """Ann's authenticator app."""
    secret = new_app_secret()
    account_id = world.accounts["ann"].id
    sealed = Sealer.of(SECRET_KEYS).seal(secret, APP_PLACE.format(account_id=account_id))
    await owner.execute("SELECT put_authenticator_app($1, $2, 0, now())", *(account_id, sealed))
    return pyotp.TOTP(secret.decode())


@pytest.fixture
async def recovery(owner, world, app):
    """Ann's recovery codes."""
    codes = new_recovery_codes()
    hashes = [recovery_hash(code) for code in codes]
    await owner.execute("SELECT put_recovery_codes($1, $2)", world.accounts["ann"].id, hashes)
    return codes


@pytest.fixture
async def key(owner, world):
    """Ann's passkey."""
    authenticator = Authenticator()
    made = authenticator.creates(
        {"user": {"id": "AA"}, "rp": {"id": "localhost"}, "challenge": "AA"}
    )
    authenticator.user_handle = world.accounts["ann"].id.bytes
    await owner.execute(
        "SELECT put_passkey($1, $2, $3, 0, 'Firefox, Linux', now())",
        *(authenticator.credential_id, world.accounts["ann"].id, public_key_in(made)),
    )
    return authenticator


def public_key_in(credential):
    import cbor2

    from slots.push import from_base64url

    made = cbor2.loads(from_base64url(credential["response"]["attestationObject"]))
    return made["authData"][37 + 16 + 2 + 32 :]


async def due(person, world, name="ann"):
    answer = await person.sign_in(world.email(name))
    assert answer.status_code == 202, answer.text
    return answer.json()


async def with_code(person, ticket, code, factor="totp"):
    return await person.post(FACTOR, json={"ticket": ticket, "factor": factor, "code": code})


async def with_passkey(person, ticket, credential):
    return await person.post(
        FACTOR, json={"ticket": ticket, "factor": "passkey", "credential": credential}
    )


async def is_signed_in(person):
    return (await person.get(SESSION)).status_code == 200


async def test_a_password_alone_opens_nothing_and_says_what_is_due(person, world, app, recovery):
    said = await due(person, world)

    assert said["factors"] == ["totp", "recovery"]
    assert not person.cookies
    assert not await is_signed_in(person)


async def test_who_has_no_second_factor_yet_gets_no_session_either(person, world):
    assert (await due(person, world))["factors"] == []
    assert not await is_signed_in(person)


async def test_the_apps_code_completes_the_session(person, world, app, watch):
    ticket = (await due(person, world))["ticket"]

    answer = await with_code(person, ticket, app.at(watch.now()))

    assert answer.status_code == 200
    assert answer.json()["account"]["name"] == "Ann Martin"
    assert await is_signed_in(person)


async def test_a_code_is_good_once_even_at_another_door(strict, person, world, app, watch):
    code = app.at(watch.now())
    await with_code(person, (await due(person, world))["ticket"], code)

    async with strict.client() as thief:
        ticket = (await due(thief, world))["ticket"]
        assert problem(await with_code(thief, ticket, code)) == (401, "factor-refused")
        watch.moves(LATER)
        assert (await with_code(thief, ticket, app.at(watch.now()))).status_code == 200


async def test_of_many_who_show_one_code_at_once_one_gets_in(strict, world, app, watch):
    people = [strict.client() for _ in range(5)]
    tickets = [(await due(one, world))["ticket"] for one in people]
    code = app.at(watch.now())

    answers = await asyncio.gather(
        *(with_code(one, ticket, code) for one, ticket in zip(people, tickets, strict=True))
    )

    assert [answer.status_code for answer in answers].count(200) == 1
    for one in people:
        await one.aclose()


async def test_a_ticket_opens_one_session(strict, person, world, app, recovery, watch):
    ticket = (await due(person, world))["ticket"]
    assert (await with_code(person, ticket, app.at(watch.now()))).status_code == 200

    async with strict.client() as another:
        answer = await with_code(another, ticket, recovery[0], "recovery")
        assert problem(answer) == (410, "ticket-ended")
    # A refused ticket costs nobody a code.
    again = (await due(person, world))["ticket"]
    assert (await with_code(person, again, recovery[0], "recovery")).status_code == 200


async def test_a_recovery_code_is_good_once(person, world, recovery):
    first = await with_code(
        person, (await due(person, world))["ticket"], recovery[3].lower(), "recovery"
    )
    again = await with_code(person, (await due(person, world))["ticket"], recovery[3], "recovery")

    assert first.status_code == 200
    assert problem(again) == (401, "factor-refused")


async def test_a_ticket_ends_after_a_while(person, world, app, watch):
    ticket = (await due(person, world))["ticket"]
    watch.moves(GOOD_FOR[Purpose.SIGN_IN])

    assert problem(await with_code(person, ticket, app.at(watch.now()))) == (410, "ticket-ended")


async def test_guesses_end_the_ticket_and_then_must_wait(person, world, app, watch):
    """Who knows the password guesses codes: each ticket takes few, and the account ever fewer."""
    ticket = (await due(person, world))["ticket"]
    answers = []
    for _ in range(TRIES_MAX + 1):
        answers.append(problem(await with_code(person, ticket, "000000")))
        watch.moves(timedelta(seconds=20))
    assert answers[:TRIES_MAX] == [(401, "factor-refused")] * TRIES_MAX
    assert answers[TRIES_MAX] == (410, "ticket-ended")

    another = (await due(person, world))["ticket"]
    await with_code(person, another, "000000")
    answer = await with_code(person, another, app.at(watch.now()))

    assert problem(answer) == (429, "too-many-tries")
    assert int(answer.headers["retry-after"]) >= 1


async def test_guessing_at_the_password_never_shuts_the_second_step(
    strict, person, world, app, watch
):
    """Nobody can lock another out: without the password nothing of the account is counted there."""
    ticket = (await due(person, world))["ticket"]
    async with strict.client() as guesser:
        for _ in range(6):
            await guesser.sign_in(world.email("ann"), "wrong")
            await with_code(guesser, "not-a-ticket", "000000")

    assert (await with_code(person, ticket, app.at(watch.now()))).status_code == 200


async def test_a_passkey_completes_a_password(person, world, key):
    said = await due(person, world)
    assert said["factors"] == ["passkey"]
    asked = (await person.post(PASSKEY, json={"ticket": said["ticket"]})).json()
    assert [one["id"] for one in asked["options"]["allowCredentials"]] == [
        key.shows(asked["options"])["id"]
    ]

    answer = await with_passkey(person, asked["ticket"], key.shows(asked["options"]))

    assert answer.status_code == 200
    assert await is_signed_in(person)


async def test_a_passkey_alone_is_enough(person, key):
    asked = (await person.post(PASSKEY, json={})).json()
    assert asked["options"]["userVerification"] == "required"

    answer = await with_passkey(person, asked["ticket"], key.shows(asked["options"]))

    assert answer.json()["account"]["name"] == "Ann Martin"
    assert await is_signed_in(person)


@pytest.mark.parametrize(
    "fault",
    ["origin", "host", "challenge", "kind", "unverified", "copied", "stranger", "another's"],
)
async def test_a_passkeys_answer_is_refused(person, owner, world, key, fault):
    asked = (await person.post(PASSKEY, json={})).json()
    options, other = asked["options"], {}
    match fault:
        case "origin":
            key.origin = "http://evil.example"
        case "host":
            other = {"rpId": "evil.example"}
        case "challenge":
            other = {"challenge": "b3RoZXI"}
        case "kind":
            other = {"type": "webauthn.create"}
        case "unverified":
            key.verifies = False
        case "copied":  # a copy of the key, which counted less far
            await owner.execute("UPDATE passkey SET sign_count = 40")
        case "stranger":
            key.credential_id = b"nobody's" * 4
        case "another's":
            key.user_handle = world.accounts["bob"].id.bytes

    answer = await with_passkey(person, asked["ticket"], key.shows(options, **other))

    assert problem(answer) == (401, "factor-refused")
    assert not await is_signed_in(person)


async def test_a_question_is_listened_to_once(person, strict, key):
    asked = (await person.post(PASSKEY, json={})).json()
    shown = key.shows(asked["options"])
    assert (await with_passkey(person, asked["ticket"], shown)).status_code == 200

    async with strict.client() as thief:
        answer = await with_passkey(thief, asked["ticket"], shown)
        assert problem(answer) == (410, "ticket-ended")


async def test_the_passkey_of_another_does_not_complete_ones_password(person, world, key):
    ticket = (await due(person, world, "bob"))["ticket"]
    alone = (await person.post(PASSKEY, json={})).json()

    stolen = await with_passkey(person, ticket, key.shows(alone["options"]))

    assert stolen.status_code in (401, 410)
    assert not await is_signed_in(person)


@pytest.mark.parametrize(
    "credential",
    [
        {},
        {"rawId": "?"},
        {"id": "AA", "rawId": "AA", "type": "public-key", "response": {}},
        {"id": 1, "rawId": 2, "type": [], "response": "x"},
        {"id": "AA", "rawId": "AA", "response": {"clientDataJSON": "é", "signature": None}},
    ],
)
async def test_whatever_a_stranger_sends_is_refused_and_breaks_nothing(person, key, credential):
    asked = (await person.post(PASSKEY, json={})).json()

    answer = await with_passkey(person, asked["ticket"], credential)

    assert problem(answer) == (401, "factor-refused")


async def test_at_an_address_there_are_no_passkeys(service):
    async with service.client() as person:
        assert problem(await person.post(PASSKEY, json={})) == (401, "factor-refused")


async def test_a_disabled_account_gets_in_by_nothing(person, owner, world, app, key, watch):
    ticket = (await due(person, world))["ticket"]
    asked = (await person.post(PASSKEY, json={})).json()
    await owner.execute("UPDATE account SET disabled_at = now() WHERE name = 'Ann Martin'")

    by_code = await with_code(person, ticket, app.at(watch.now()))
    by_key = await with_passkey(person, asked["ticket"], key.shows(asked["options"]))

    assert problem(by_code) == (410, "ticket-ended")
    assert problem(by_key) == (401, "factor-refused")


async def test_a_secret_that_somebody_copies_into_another_row_opens_nothing(
    person, owner, world, app, watch
):
    """Who can write to the ledger, but has not the key, cannot give another's account their own app."""
    await owner.execute(
        "INSERT INTO authenticator_app SELECT $1, secret, 0, now() FROM authenticator_app",
        world.accounts["bob"].id,
    )
    ticket = (await due(person, world, "bob"))["ticket"]

    answer = await with_code(person, ticket, app.at(watch.now()))

    assert problem(answer) == (401, "factor-refused")
    assert not await is_signed_in(person)


async def test_what_happened_at_the_door_is_in_the_installations_audit(
    person, owner, world, app, watch
):
    await person.sign_in(world.email("ann"), "wrong")
    await person.sign_in("nobody@example.test", "wrong")
    ticket = (await due(person, world))["ticket"]
    await with_code(person, ticket, "000000")
    await with_code(person, ticket, app.at(watch.now()))
    await person.delete(SESSION)

    rows = await owner.fetch(
        "SELECT verb, subject_id FROM audit WHERE territory_id = 0 ORDER BY id"
    )

    ann = world.accounts["ann"].id
    assert [(row["verb"], row["subject_id"] == ann) for row in rows] == [
        ("sign-in-refused", True),
        ("sign-in-refused", False),
        ("factor-refused", True),
        ("sign-in", True),
        ("sign-out", True),
    ]


async def test_the_log_says_by_what_somebody_came_in_and_showed_it_again(
    person, world, app, recovery, watch, capsys
):
    await with_code(person, (await due(person, world))["ticket"], app.at(watch.now()))
    await with_code(person, (await due(person, world))["ticket"], recovery[0], "recovery")

    lines = [line for line in capsys.readouterr().out.splitlines() if "proof=" in line]
    ann = f"account_id={world.accounts['ann'].id}"
    assert len(lines) == 2
    assert "signed-in" in lines[0]
    assert "proof=totp" in lines[0]
    assert ann in lines[0]
    assert "proved-again" in lines[1]
    assert "proof=recovery" in lines[1]
    assert ann in lines[1]


async def test_no_secret_of_these_steps_is_in_the_log(person, world, app, recovery, watch, capfd):
    ticket = (await due(person, world))["ticket"]
    code = app.at(watch.now())
    await with_code(person, ticket, recovery[0], "recovery")
    await with_code(person, (await due(person, world))["ticket"], code)

    printed = "".join(capfd.readouterr())
    session_id = person.cookies["chrono48"]
    for secret in (ticket, code, recovery[0], app.secret, session_id, world.password):
        assert secret not in printed


@pytest.fixture
def shows(app, recovery, key, watch):
    """What Ann shows, of a kind: a code that was not used yet, or her key's answer."""

    def shown(kind, options):
        watch.moves(LATER)
        match kind:
            case "totp":
                return {"code": app.at(watch.now())}
            case "recovery":
                return {"code": recovery.pop()}
            case _:
                return {"credential": key.shows(options)}

    return shown


@pytest.fixture
async def ann(person, world, owner, recovery, key):
    """Ann, who came in three hours ago."""
    await with_code(person, (await due(person, world))["ticket"], recovery.pop(), "recovery")
    await owner.execute(
        "UPDATE session SET proved_at = proved_at - interval '3 hours',"
        " created_at = created_at - interval '3 hours', expires_at = expires_at - interval '3 hours'"
    )
    person.headers.update(OUR_PAGE)
    return person


def token_given(answer):
    """The session's token that an answer puts into the browser, and for how many seconds."""
    [given] = [one for one in answer.headers.get_list("set-cookie") if one.startswith("chrono48=")]
    return given.partition(";")[0].removeprefix("chrono48="), int(
        re.search(r"Max-Age=(\d+)", given)[1]
    )


async def opens(strict, token):
    async with strict.client(cookie=f"chrono48={token}") as whoever:
        return await is_signed_in(whoever)


def options_in(page, what):
    [options] = re.findall(f'data-passkey="{what}" data-options="([^"]+)"', page.text)
    return json.loads(html.unescape(options))


@pytest.mark.parametrize("kind", ["totp", "recovery", "passkey"])
async def test_who_shows_it_again_goes_on_under_a_new_token_alone(
    strict, ann, world, owner, shows, kind
):
    old, before = ann.cookies["chrono48"], await owner.fetch(GOES_ON)
    ticket = (await due(ann, world))["ticket"]
    asked = (await ann.post(PASSKEY, json={"ticket": ticket})).json()
    assert await opens(strict, old)

    shown = shows(kind, asked["options"])
    answer = await ann.post(FACTOR, json={"ticket": ticket, "factor": kind, **shown})

    assert answer.status_code == 200
    new, good_for_s = token_given(answer)
    assert not await opens(strict, old)
    assert await opens(strict, new)
    # The same session, which lasts no longer than it would have.
    assert await owner.fetch(GOES_ON) == before
    assert good_for_s <= timedelta(hours=9).total_seconds()


@pytest.mark.parametrize("kind", ["totp", "recovery", "passkey"])
async def test_what_asked_who_it_is_goes_through_with_the_new_token_alone(
    strict, ann, owner, shows, kind
):
    old, before = ann.cookies["chrono48"], await owner.fetch(GOES_ON)
    asked = await ann.post("/compte/protection")
    assert asked.headers["location"].startswith("/connexion/facteur")
    form = await ann.get(asked.headers["location"])
    shown = shows(kind, options_in(form, "get"))
    typed = {"recovery": shown["code"]} if kind == "recovery" else shown
    typed = {name: one if name != "credential" else json.dumps(one) for name, one in typed.items()}

    answer = await ann.post("/connexion/facteur", data={"after": "/compte", **typed})

    assert answer.headers["location"] == "/compte"
    new, good_for_s = token_given(answer)
    assert not await opens(strict, old)
    assert await opens(strict, new)
    assert await owner.fetch(GOES_ON) == before
    assert good_for_s <= timedelta(hours=9).total_seconds()
    again = await ann.post("/compte/protection")
    assert again.headers["location"].startswith("/protection")


async def test_who_adds_a_factor_has_shown_it_and_gets_a_new_token(strict, ann, owner):
    await owner.execute("UPDATE session SET proved_at = now()")
    old, before = ann.cookies["chrono48"], await owner.fetch(GOES_ON)
    page = await ann.post("/compte/protection", follow_redirects=True)
    credential = Authenticator().creates(options_in(page, "create"))

    answer = await ann.post(
        "/protection/cle", data={"after": "/compte", "credential": json.dumps(credential)}
    )

    assert not await opens(strict, old)
    assert await opens(strict, token_given(answer)[0])
    assert await owner.fetch(GOES_ON) == before
