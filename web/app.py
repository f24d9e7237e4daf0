"""The composition root: routes, guards, and what lives as long as the process."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Final

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response

from slots.database import borrow, refuse_too_much_right
from slots.desk import close_desk, open_desk
from slots.settings import Settings
from web.answering import Answering
from web.api.routes import API_ROUTES
from web.catalogue import Catalogue
from web.guards import Guards
from web.headers import SecurityHeaders
from web.live.hub import Hub
from web.live.presence import Presence
from web.live.socket import LIVE_ROUTES
from web.pages.routes import PAGE_ROUTES
from web.places import Communes
from web.sessions import Sessions
from web.sign_in import Passwords
from web.state import State

Lifespan = Callable[[Starlette], AbstractAsyncContextManager[State]]

ROUTES: Final = (*API_ROUTES, *LIVE_ROUTES, *PAGE_ROUTES)


def create_app(settings: Settings) -> Starlette:
    """The application. It connects when it starts, and refuses to start with too much right."""
    return Starlette(
        routes=ROUTES,
        middleware=[
            # From the outside in. Refusals raised below Answering are answered there.
            Middleware(SecurityHeaders, settings=settings),
            Middleware(Answering, settings=settings),
            Middleware(Guards, settings=settings),
        ],
        exception_handlers={HTTPException: _pass_on},
        lifespan=_lifespan(settings),
    )


def _lifespan(settings: Settings) -> Lifespan:
    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[State]:
        """Raises TooMuchRight, or LedgerUnavailable: whoever started us tries again."""
        desk = await open_desk(settings)
        try:
            async with borrow(desk.pool) as conn:
                await refuse_too_much_right(conn)
            catalogue = Catalogue(desk)
            await catalogue.start()
            hub = Hub(desk.territories, settings.redis_url, catalogue.act_labels)
            presence = Presence(hub, desk.pool)
            presence.start()
            # Before the server closes its sockets, they are told: see `web.__main__`.
            app.state.presence = presence
            sessions = Sessions(desk.pool)
            sessions.start()
            passwords = Passwords()
            yield State(
                settings=settings,
                desk=desk,
                catalogue=catalogue,
                hub=hub,
                presence=presence,
                sessions=sessions,
                passwords=passwords,
                communes=Communes(),
            )
            passwords.close()
            await sessions.stop()
            await presence.stop()
            await hub.close()
            await catalogue.stop()
        finally:
            await close_desk(desk)

    return lifespan


async def _pass_on(request: Request[Any], error: Exception) -> Response:
    """Let what the router refuses reach Answering, as every other refusal does."""
    raise error
