"""Who may speak to us at all, over HTTP and WebSocket; and what every answer carries."""

import re
from dataclasses import replace

import httpx
import pytest
from starlette.datastructures import Headers

from slots.settings import Settings
from tests.api.conftest import problem
from web.guards import own_origins
from web.headers import content_security_policy

JSON = {"Content-Type": "application/json"}
SIGN_OUT = ("DELETE", "/api/v1/session")


@pytest.mark.parametrize(
    "headers, status",
    [
        ({"Sec-Fetch-Site": "same-origin"}, 204),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "none"}, 403),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "http://127.0.0.1:8048"}, 403),
        ({"Origin": "http://127.0.0.1:8048"}, 204),
        ({"Origin": "http://localhost:8048"}, 204),
        ({"Origin": "http://127.0.0.1:8049"}, 403),
        ({"Origin": "https://127.0.0.1:8048"}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({}, 204),
    ],
)
async def test_another_site_cannot_act_for_who_is_signed_in(sign_in, headers, status):
    ann = await sign_in("ann")

    answer = await ann.request(*SIGN_OUT, headers=headers)

    assert answer.status_code == status
    if status == 403:
        assert problem(answer) == (403, "cross-site")


@pytest.mark.parametrize(
    "media_type",
    ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/plain"],
)
async def test_a_form_of_an_old_browser_passes_only_without_the_cookie(
    sign_in, stranger, media_type
):
    ann = await sign_in("ann")
    form = {"content": b"x", "headers": {"Content-Type": media_type}}

    assert problem(await ann.post("/api/v1/session", **form)) == (403, "cross-site")
    assert problem(await stranger.post("/api/v1/session", **form))[0] == 415


async def test_reading_is_not_guarded_by_origin(sign_in):
    ann = await sign_in("ann")

    answer = await ann.get("/api/v1/slots", headers={"Sec-Fetch-Site": "cross-site"})

    assert answer.status_code == 200


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1:80", "127.0.0.1", ""])
async def test_another_host_is_not_ours(stranger, host):
    answer = await stranger.get("/api/v1/session", headers={"Host": host})

    assert problem(answer) == (421, "host-unknown")


async def test_two_hosts_are_none(stranger):
    headers = [("Host", "127.0.0.1:8048"), ("Host", "evil.example")]

    assert problem(await stranger.get("/api/v1/session", headers=headers)) == (421, "host-unknown")


async def test_whoever_watches_may_ask_by_any_name(stranger):
    for path in ("/healthz", "/readyz", "/metrics"):
        assert (await stranger.get(path, headers={"Host": "10.0.0.7"})).status_code == 200


def test_our_origins_follow_the_settings(settings: Settings):
    away = replace(settings, host="0.0.0.0", base_url="https://chrono.example")
    odd = replace(settings, host="0.0.0.0", base_url="https://chrono.example:443")

    assert own_origins(away) == {"https://chrono.example"}
    assert own_origins(odd) == {"https://chrono.example", "https://chrono.example:443"}
    assert "http://[::1]:8048" in own_origins(settings)


async def test_every_answer_carries_the_headers_that_keep_browsers_careful(stranger):
    for path in ("/api/v1/session", "/healthz", "/nothing", "/connexion"):
        answer = await stranger.get(path)

        policy = answer.headers["content-security-policy"]
        is_page = path in ("/nothing", "/connexion")
        assert policy.startswith("default-src 'none'; ")
        assert ("script-src 'nonce-" in policy) == is_page
        assert "frame-ancestors 'none'" in policy
        assert "object-src 'none'" in policy
        assert "base-uri 'none'" in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "same-origin"
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["cross-origin-opener-policy"] == "same-origin"
        assert answer.headers["cross-origin-resource-policy"] == "same-origin"
        assert "access-control-allow-origin" not in answer.headers
        assert "server" not in answer.headers
        assert re.fullmatch("[0-9a-f]{32}", answer.headers["x-request-id"])
        assert "strict-transport-security" not in answer.headers


async def test_each_page_has_a_nonce_of_its_own(stranger):
    policies = {
        (await stranger.get("/connexion")).headers["content-security-policy"] for _ in range(3)
    }

    assert len(policies) == 3
    assert "'unsafe-" not in content_security_policy("x")


async def test_the_scripts_of_a_page_carry_its_nonce(stranger):
    answer = await stranger.get("/connexion")

    nonce = re.search(r"'nonce-([^']+)'", answer.headers["content-security-policy"])[1]
    assert f'nonce="{nonce}"' in answer.text


@pytest.mark.parametrize(
    "path",
    [
        *("/connexion", "/service-worker.js", "/metrics", "/annuaire.csv"),
        *("/static/app.js", "/static/app.css", "/static/icons.svg"),
    ],
)
async def test_whatever_is_text_says_how_it_is_encoded(sign_in, path):
    answer = await (await sign_in("ann")).get(path, follow_redirects=True)

    assert answer.status_code == 200
    assert re.match(r"(text/|image/svg\+xml).*;\s*charset=utf-8", answer.headers["content-type"]), (
        answer.headers["content-type"]
    )


@pytest.mark.parametrize("path", ["/connexion", "/static/app.js", "/api/v1/session", "/healthz"])
@pytest.mark.parametrize("method", ["TRACE", "CONNECT", "PROPFIND"])
async def test_a_method_that_nothing_here_needs_is_refused(stranger, method, path):
    answer = await stranger.request(method, path, headers={"Origin": "http://127.0.0.1:8048"})

    assert answer.status_code == 405
    assert "8048" not in answer.text


@pytest.mark.parametrize(
    "path",
    [
        *("/.git/config", "/.env", "/static/../app.py", "/static/%2e%2e/app.py"),
        *("/static/", "/static", "/static/..%2f..%2fpyproject.toml"),
    ],
)
async def test_no_file_beside_the_assets_is_served_and_no_folder_is_listed(stranger, path):
    answer = await stranger.get(path, follow_redirects=True)

    assert answer.status_code == 404
    assert "Introuvable" in answer.text


async def test_people_get_a_page_where_programs_get_a_document(stranger):
    page = await stranger.get("/nothing")

    assert page.status_code == 404
    assert page.headers["content-type"].startswith("text/html")
    assert "Introuvable" in page.text
    assert "15" in page.text


# WebSockets pass the same guards: these speak ASGI themselves, since httpx knows no sockets.


async def knock(service, headers, path="/live"):
    """What the service sends first to whoever asks for a WebSocket."""
    sent = []
    received = iter([{"type": "websocket.connect"}, {"type": "websocket.disconnect", "code": 1005}])

    async def receive():
        return next(received)

    async def send(message):
        sent.append(message)

    raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    scope = {
        "type": "websocket",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": raw,
        "subprotocols": ["chrono48.live.v1"],
        "client": ("127.0.0.1", 1),
        "extensions": {"websocket.http.response": {}},
    }
    await service._with_state(scope, receive, send)
    return sent[0]


OURS = {"Host": "127.0.0.1:8048", "Origin": "http://127.0.0.1:8048"}


@pytest.mark.parametrize(
    "change, status",
    [
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Host": "evil.example"}, 421),
    ],
)
async def test_a_socket_of_another_site_is_refused_before_the_accept(
    service, sign_in, change, status
):
    ann = await sign_in("ann")
    cookie = {"Cookie": f"chrono48={ann.cookies['chrono48']}"}

    first = await knock(service, {**OURS, **cookie, **change})

    assert first["type"] == "websocket.http.response.start"
    assert first["status"] == status
    assert "content-security-policy" in Headers(raw=first["headers"])


async def test_a_socket_without_an_origin_is_refused(service):
    first = await knock(service, {"Host": OURS["Host"]})

    assert first["status"] == 403


async def test_a_socket_of_our_own_page_is_accepted(service, sign_in):
    ann = await sign_in("ann")

    first = await knock(service, {**OURS, "Cookie": f"chrono48={ann.cookies['chrono48']}"})

    assert first["type"] == "websocket.accept"


async def test_what_nobody_foresaw_is_one_sentence_to_the_caller(service, sign_in, monkeypatch):
    ann = await sign_in("ann")

    async def broken(*_args, **_kwargs):
        raise ZeroDivisionError("patient Martin, 06 12 34 56 78")

    monkeypatch.setattr(service.state["hub"], "board", broken)
    answer = await ann.get("/api/v1/slots")

    assert problem(answer) == (500, "unexpected")
    assert "Martin" not in answer.text
    assert "ZeroDivision" not in answer.text
    assert "x-request-id" in answer.headers


async def test_behind_https_the_cookie_belongs_to_this_host_alone(world, settings):
    from tests.api.conftest import Running, make_boards_ready
    from web.app import create_app

    secure = replace(settings, base_url="https://chrono.example")
    app = create_app(secure)
    async with app.router.lifespan_context(app) as state:
        await make_boards_ready(state["desk"])
        async with Running(app, dict(state), secure.base_url).client() as person:
            answer = await person.sign_in(world.email("ann"))

            cookie = answer.headers["set-cookie"]
            assert cookie.startswith("__Host-chrono48=")
            assert "Secure" in cookie
            assert "Domain" not in cookie
            secure_transport = answer.headers["strict-transport-security"]
            assert secure_transport == "max-age=31536000; includeSubDomains"
            assert (await person.get("/api/v1/session")).status_code == 200


async def test_the_log_has_one_line_without_what_was_asked_for(sign_in, capsys, world):
    ann = await sign_in("ann")
    capsys.readouterr()

    await ann.get("/api/v1/slots", params={"commune": "34119"})

    lines = [line for line in capsys.readouterr().out.splitlines() if "request" in line]
    assert len(lines) == 1
    assert "route=/api/v1/slots" in lines[0]
    assert f"account_id={world.accounts['ann'].id}" in lines[0]
    assert "34119" not in lines[0]


def test_the_test_client_speaks_as_a_program():
    """Without this, the cross-site tests above would prove nothing."""
    assert "origin" not in httpx.Headers(httpx.AsyncClient().headers)
