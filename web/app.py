"""The composition root: routes, guards, and what lives as long as the process."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Final

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.types import ASGIApp

from slots.clock import MACHINES_CLOCK, Clock
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
from web.passwords import Passwords
from web.pro_sante_connect import ProSanteConnect
from web.rates import Rates
from web.sessions import Sessions
from web.state import State

Lifespan = Callable[[Starlette], AbstractAsyncContextManager[State]]

ROUTES: Final = (*API_ROUTES, *LIVE_ROUTES, *PAGE_ROUTES)


class Application(Starlette):
    """Starlette without its own two layers for errors: Answering answers whatever is raised."""

    def build_middleware_stack(self) -> ASGIApp:
        """The router behind our layers, from the outside in, and nothing between them."""
        app: ASGIApp = self.router
        for layer, arguments, named in reversed(self.user_middleware):
            app = layer(app, *arguments, **named)
        return app


def create_app(settings: Settings, clock: Clock = MACHINES_CLOCK) -> Starlette:
    """The application. It connects when it starts, and refuses to start with too much right."""
    return Application(
        routes=ROUTES,
        middleware=[
            # From the outside in. Refusals raised below Answering are answered there.
            Middleware(SecurityHeaders, settings=settings),
            Middleware(Answering, settings=settings),
            Middleware(Guards, settings=settings),
            Middleware(Rates, settings=settings),
        ],
        lifespan=_lifespan(settings, clock),
    )


def _lifespan(settings: Settings, clock: Clock) -> Lifespan:
    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[State]:
        """Raises TooMuchRight, or LedgerUnavailable: whoever started us tries again."""
        desk = await open_desk(settings, clock)
        try:
            async with borrow(desk.pool) as conn:
                await refuse_too_much_right(conn)
            catalogue = Catalogue(desk)
            await catalogue.start()
            hub = Hub(desk.territories, settings.redis_url, catalogue.act_labels, clock)
            presence = Presence(hub, desk.pool)
            presence.start()
            # Before the server closes its sockets, they are told: see `web.__main__`.
            app.state.presence = presence
            sessions = Sessions(desk.pool)
            sessions.start()
            passwords = Passwords()
            pro_sante_connect = ProSanteConnect(settings)
            yield State(
                settings=settings,
                desk=desk,
                catalogue=catalogue,
                hub=hub,
                presence=presence,
                sessions=sessions,
                passwords=passwords,
                pro_sante_connect=pro_sante_connect,
            )
            await pro_sante_connect.close()
            passwords.close()
            await sessions.stop()
            await presence.stop()
            await hub.close()
            await catalogue.stop()
        finally:
            await close_desk(desk)

    return lifespan
