"""Who asks, behind a proxy: its word counts where PROXIES names it, and nobody else's."""

from dataclasses import replace

import httpx
import pytest

from web.__main__ import configuration

PROXY = "10.0.0.2"
FROM_AFAR = {"X-Forwarded-For": "203.0.114.9", "X-Forwarded-Proto": "https"}


@pytest.mark.parametrize(
    ("proxies", "believed"),
    [("127.0.0.1,::1", False), ("10.0.0.2", True), ("10.0.0.0/24, ::1", True)],
)
async def test_the_word_of_a_proxy_counts_where_it_is_named(settings, proxies, believed):
    public = replace(settings, host="10.0.0.3", base_url="https://chrono.example", proxies=proxies)
    config = configuration(public)
    config.load()

    async def app(scope, receive, send) -> None:
        await config.loaded_app({**scope, "state": {"settings": public}}, receive, send)

    # The figures are for neighbours on the network only: they tell for whom we take who asks.
    transport = httpx.ASGITransport(app, client=(PROXY, 4711))
    async with httpx.AsyncClient(transport=transport, base_url=public.base_url) as client:
        answer = await client.get("/metrics", headers=FROM_AFAR)

    assert answer.status_code == (404 if believed else 200)
