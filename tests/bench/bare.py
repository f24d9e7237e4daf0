"""The baseline: bare Starlette endpoints with one EVALSHA, or one guarded INSERT, and nothing else.

Server flags, drivers and pools are the product's own.
"""

import sys
from contextlib import asynccontextmanager
from uuid import uuid4

import uvicorn
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

from slots import redis_url
from slots.database import create_pool
from slots.settings import Settings
from web.__main__ import collect_seldom, configuration

# The least that a hold is: a counter, and an entry in a log.
SCRIPT = """
redis.call('XADD', KEYS[2], 'MAXLEN', '~', 10000, '*', 'slot', ARGV[1])
return redis.call('HINCRBY', KEYS[1], ARGV[1], 1)
"""
INSERT = """
INSERT INTO bare_booking (slot_id, seat, account_id) VALUES ($1, 1, $2)
ON CONFLICT (slot_id, seat) DO NOTHING RETURNING slot_id
"""


async def hold(request):
    await request.json()
    taken = await request.state.redis.evalsha(
        request.state.sha, 2, "{p0}:bare:holds", "{p0}:bare:log", uuid4().hex
    )
    return JSONResponse({"held": taken == 1}, status_code=201)


async def book(request):
    await request.json()
    booked = await request.state.pool.fetchval(INSERT, uuid4(), uuid4())
    return JSONResponse({"booked": str(booked)}, status_code=201)


@asynccontextmanager
async def lifespan(app):
    settings = Settings.from_environ()
    client = redis_url.connect(settings.redis_url)
    pool = await create_pool(settings)
    yield {"redis": client, "sha": await client.script_load(SCRIPT), "pool": pool}
    await pool.close()
    await client.aclose()


app = Starlette(
    routes=[Route("/hold", hold, methods=["POST"]), Route("/book", book, methods=["POST"])],
    lifespan=lifespan,
)


def main() -> None:
    config = configuration(Settings.from_environ())
    config.app = app
    collect_seldom()
    uvicorn.Server(config).run()


if __name__ == "__main__":
    sys.exit(main())
