"""`python -m web`: one web process. Any number of them may run."""

import asyncio
import contextlib
import gc
import resource
import socket
import sys
from typing import Final

import uvicorn

from slots import logs
from slots.clock import MACHINES_CLOCK, Clock
from slots.settings import Settings, SettingsError
from web.app import create_app
from web.live.direct import DirectProtocol

MESSAGE_BYTES_MAX: Final = 16 * 1024  # of a client's WebSocket message
STOP_WITHIN_S: Final = 3  # for requests on their way, once we are told to stop
IDLE_CONNECTION_S: Final = 75  # longer than proxies keep theirs, so that they close first
BACKLOG: Final = 2048
GARBAGE_AFTER: Final = 10_000  # objects made and not yet gone
UNREAD_FOR_MS: Final = 30_000  # a peer that takes nothing of what waits for it is gone


class Server(uvicorn.Server):
    """Says goodbye to the live sockets before it closes them."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Take no more connections, say goodbye, then wait for what is on its way."""
        presence = getattr(self.config.app.state, "presence", None)  # type: ignore[union-attr]
        if presence is not None:
            await presence.say_goodbye()
        await super().shutdown(sockets)


def configuration(settings: Settings, clock: Clock = MACHINES_CLOCK) -> uvicorn.Config:
    """How uvicorn serves the application."""
    return uvicorn.Config(
        create_app(settings, clock),
        host=settings.host.strip("[]"),
        port=settings.port,
        loop="uvloop",
        http="httptools",
        ws=DirectProtocol,
        ws_max_size=MESSAGE_BYTES_MAX,
        ws_per_message_deflate=False,
        lifespan="on",
        log_config=None,  # ours: one canonical line per request
        access_log=False,
        server_header=False,
        # Behind https there is a proxy, which knows the client's address; from anybody else,
        # whoever asks could claim any.
        proxy_headers=settings.is_https,
        forwarded_allow_ips=settings.proxies,
        timeout_graceful_shutdown=STOP_WITHIN_S,
        timeout_keep_alive=IDLE_CONNECTION_S,
        backlog=BACKLOG,
    )


def listening(config: uvicorn.Config) -> socket.socket:
    """Where we listen. Connections inherit its options."""
    listener = config.bind_socket()
    # Without it, closing a socket whose reader sleeps waits for that reader for ever.
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNREAD_FOR_MS)
    return listener


def take_all_descriptors() -> None:
    """Let this process open as many files as the system allows it: each live socket is one.

    Service managers start programs with a low soft limit (1,024) below a high hard one.
    """
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    # Where it may not have what it was promised, it goes on with what it has.
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def collect_seldom() -> None:
    """Look for garbage in cycles less often than Python does, and never in what was imported.

    A request leaves hardly any: by default every few of them would pay for a look through all.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(GARBAGE_AFTER)


def main() -> None:
    """Serve until SIGINT or SIGTERM."""
    try:
        settings = Settings.from_environ()
    except SettingsError as error:
        print(f"chrono48 web: {error}. See .env.example.", file=sys.stderr)  # noqa: T201
        sys.exit(1)
    logs.configure(settings.log_format)
    take_all_descriptors()
    collect_seldom()
    server = Server(configuration(settings))
    with asyncio.Runner(loop_factory=server.config.get_loop_factory()) as runner:
        runner.run(server.serve([listening(server.config)]))


if __name__ == "__main__":
    main()
