"""The endpoint `/live`: moves frames between a socket, its session and the hub.

`web.guards` has checked the Origin already. `GET /live/snapshot` answers the same to pages whose
upgrade a proxy refuses.
"""

import asyncio
import logging
from datetime import UTC, datetime
from typing import Final

import msgspec
from msgspec import UNSET, Raw
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from slots.scope import Scope
from slots.territory import Territory
from slots.times import rfc3339
from web.auth import NEEDED_SCOPE, as_shown_live, need_fit, session_hash_of
from web.auth import signed_in as signed_in_by
from web.boards import territories_asked
from web.live import frames
from web.live.connection import Connection
from web.live.direct import wire_of
from web.live.frames import BadFrame, CloseCode, Pong, Subscribe
from web.live.hub import Hub
from web.live.presence import Presence
from web.live.session import Session, visible

log = logging.getLogger(__name__)


async def live(websocket: WebSocket) -> None:
    """One live view, from the accept to the close."""
    hub: Hub = websocket.state["hub"]
    presence: Presence = websocket.state["presence"]
    connection = await _admitted(websocket, presence)
    # Closing before the accept answers 403: nobody sees a frame whom we do not know.
    if connection is None:
        await websocket.close()
        return
    with presence.watched(connection):
        connection.push([frames.write(frames.Hello(rfc3339(datetime.now(UTC))))])
        await connection.wire.carry(websocket, _receive(websocket, connection, hub, presence))
    if connection.ending is not None:
        websocket.state["close_code"] = connection.ending.number  # for the canonical line


async def _admitted(websocket: WebSocket, presence: Presence) -> Connection | None:
    """Accept a socket that a live session opens, in our protocol or none; None where it is neither.

    Apart from `live`, which would keep what only this needs for as long as the socket is open.
    """
    session_hash = session_hash_of(websocket)
    opened = await presence.opened_by(session_hash) if session_hash is not None else None
    offered = websocket.scope["subprotocols"]
    if opened is None or (offered and frames.SUBPROTOCOL not in offered):
        return None
    signed_in, alive = opened
    websocket.scope[NEEDED_SCOPE] = Scope.READ
    need_fit(signed_in, websocket.scope)
    await websocket.state["catalogue"].know(signed_in.account.reach)
    websocket.state["account_id"] = signed_in.account.id  # for the canonical line
    await websocket.accept(subprotocol=frames.SUBPROTOCOL if offered else None)
    session = Session(as_shown_live(signed_in))
    return Connection(session, signed_in.session_hash, alive, wire_of(websocket.scope))


async def _receive(
    websocket: WebSocket, connection: Connection, hub: Hub, presence: Presence
) -> None:
    """Take what the client sends, until it leaves. After our goodbye nothing counts."""
    while (message := await websocket.receive())["type"] == "websocket.receive":
        if connection.ending is not None:
            continue
        try:
            frame = frames.read(message.get("text") or message.get("bytes") or b"")
        except BadFrame:
            connection.end(CloseCode.BAD_FRAME)
            continue
        match frame:
            case Pong():
                connection.pong_at = asyncio.get_running_loop().time()
            case Subscribe():
                await _subscribe(frame, connection, hub, presence)


async def _subscribe(
    frame: Subscribe, connection: Connection, hub: Hub, presence: Presence
) -> None:
    wanted = [(hub.territories.by_slug.get(each.id), each.after) for each in frame.territories]
    followed: list[tuple[Territory, str | None]] = [
        (territory, after)
        for territory, after in wanted
        if territory is not None and connection.session.reaches(territory.id)
    ]
    if len(followed) < len(wanted):
        connection.end(CloseCode.NOT_YOURS)
        return
    feeds = [(await hub.follow(territory.id), after) for territory, after in followed]
    hub.speak(connection, frame.as_)
    texts: list[str] = []
    for feed, after in feeds:
        # Join, then look, then send. Nothing awaits between these lines, so that no event falls
        # between the snapshot and what follows it; the session would notice by `prev`.
        hub.join(feed.territory.id, connection)
        is_current = hub.is_current(feed.territory.id)
        texts += connection.session.take_up(feed, after, is_current=is_current)
    # All at once: a reader may be behind by what it was sent at once, however much that is.
    connection.push(texts)
    # At once, so that the page knows how old this is before it trusts it.
    presence.heartbeat(connection)


async def snapshot(request: Request) -> Response:
    """What a socket would show now of the territories named by `territory`, once or several times.

    Without a name, of all within reach. With Redis down there is nothing to show: whoever asks has
    the page, whose age grows, or the ledger's.
    """
    hub: Hub = request.state["hub"]
    presence: Presence = request.state["presence"]
    request.scope[NEEDED_SCOPE] = Scope.READ
    account = as_shown_live(await signed_in_by(request))
    what = "html" if request.query_params.get("as") == "html" else "json"
    asked = territories_asked(account, request.query_params.getlist("territory"), hub.territories)
    snapshots, ages = [], []
    for territory_id in asked:
        territory = hub.territories.by_id[territory_id]
        feed = await hub.follow(territory.id)
        await hub.board(territory.id)  # says why there is nothing, where there is nothing
        assert feed.at is not None
        slots = visible(account, feed)
        html = [slot.html for slot in slots] if what == "html" else UNSET
        raw = [Raw(slot.raw) for slot in slots]
        snapshots.append(frames.TerritorySnapshot(territory.slug, feed.at, raw, html))
        ages.append(hub.age_s(territory.id))
    poll = frames.Poll(
        rfc3339(datetime.now(UTC)), round(max(ages, default=0.0), 1), presence.ledger, snapshots
    )
    return Response(msgspec.json.encode(poll), media_type="application/json")


LIVE_ROUTES: Final = [
    WebSocketRoute("/live", live, name="live"),
    Route("/live/snapshot", snapshot, methods=["GET"], name="live-snapshot"),
]
