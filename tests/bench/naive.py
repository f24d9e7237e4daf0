"""The loop that everybody writes first: Starlette, a queue and a `send_text` for each socket.

`POST /go` sends the log's latest events, already written as texts, to all sockets.
"""

import asyncio
import sys
from contextlib import asynccontextmanager

import uvicorn
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route, WebSocketRoute

from slots.settings import Settings
from tests.bench.events import a_turn, latest_texts
from web.__main__ import configuration

queues: dict[asyncio.Queue[str], None] = {}


async def live(websocket):
    await websocket.accept(subprotocol=websocket.scope["subprotocols"][0])
    queue = asyncio.Queue()
    queues[queue] = None
    try:
        while True:
            await websocket.send_text(await queue.get())
    finally:
        del queues[queue]


async def go(request):
    for text in await latest_texts(request.state.settings):
        for queue in queues:
            queue.put_nowait(text)
        # One write for each event: the sockets send before the next one comes.
        await a_turn()
    return Response()


@asynccontextmanager
async def lifespan(app):
    yield {"settings": Settings.from_environ()}


app = Starlette(
    routes=[WebSocketRoute("/live", live), Route("/go", go, methods=["POST"])], lifespan=lifespan
)


def main() -> None:
    config = configuration(Settings.from_environ())
    config.app = app
    config.ws = "websockets-sansio"
    uvicorn.Server(config).run()


if __name__ == "__main__":
    sys.exit(main())
