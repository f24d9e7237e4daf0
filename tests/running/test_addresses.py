"""DATABASE_URL may name a primary and its standbys."""

import time
from dataclasses import replace
from urllib.parse import urlsplit

import pytest

from slots.addresses import one_by_one
from slots.database import BORROW_FOR_S, UNAVAILABLE, borrow, create_pool
from tests.faults.proxy import proxy_to


@pytest.mark.parametrize(
    ("url", "alone"),
    [
        ("postgresql://r:p@one/db", ["postgresql://r:p@one/db"]),
        (
            "postgresql://r:p@one:5432,two:5433/db?sslmode=require",
            [
                "postgresql://r:p@one:5432/db?sslmode=require",
                "postgresql://r:p@two:5433/db?sslmode=require",
            ],
        ),
        ("postgresql://[::1]:5432,two/db", ["postgresql://[::1]:5432/db", "postgresql://two/db"]),
        ("postgresql:///db?host=/run/postgresql", ["postgresql:///db?host=/run/postgresql"]),
    ],
)
def test_each_address_alone_is_the_same_url(url, alone):
    assert one_by_one(url) == alone


def with_address(url: str, address: str, *, first: bool) -> str:
    parts = urlsplit(url)
    account, _, host = parts.netloc.rpartition("@")
    hosts = f"{address},{host}" if first else f"{host},{address}"
    return parts._replace(netloc=f"{account}@{hosts}").geturl()


async def seconds_to_answer(pool) -> float:
    began_at = time.monotonic()
    async with borrow(pool) as conn:
        assert await conn.fetchval("SELECT 1") == 1
    return time.monotonic() - began_at


async def test_behind_a_silent_machine_the_next_one_is_found_and_asked_first_from_then_on(settings):
    async with proxy_to(settings.database_url) as (proxy, silent_url):
        proxy.freeze()
        silent = urlsplit(silent_url).netloc.rpartition("@")[2]
        url = with_address(settings.database_url, silent, first=True)
        pool = await create_pool(replace(settings, database_url=url))
        try:
            found_s = await seconds_to_answer(pool)
            await pool.expire_connections()
            known_s = await seconds_to_answer(pool)
        finally:
            pool.terminate()

    assert known_s < found_s < BORROW_FOR_S
    assert known_s < 0.5


async def test_where_only_a_standby_answers_the_ledger_is_unavailable(settings, owner):
    name = urlsplit(settings.database_url).path.strip("/")
    await owner.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    pool = await create_pool(settings)

    with pytest.raises(UNAVAILABLE):
        async with borrow(pool):
            pass

    pool.terminate()
