"""`chrono48 up`: everything, with one command, until it is told to stop."""

import argparse
import asyncio
import contextlib
import fcntl
import json
import signal
import sys
from collections.abc import Awaitable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import httpx

from slots import settings as environment
from slots.migration import APP_ROLE, MigrationFault, is_empty, migrate
from slots.settings import RATE_FACTOR_MAX, Settings
from workers.embedded import pidfile, procfile
from workers.embedded.account import servers_account
from workers.embedded.choices import Choices, is_free
from workers.embedded.postgres import Postgres, PostgresFault
from workers.embedded.running import remember_address
from workers.embedded.supervisor import Supervisor
from workers.embedded.valkey import Valkey, ValkeyFault
from workers.migrate import app_password

PROJECT: Final = Path(__file__).parents[1]
SERVER_READY_WITHIN_S: Final = 60.0  # a crashed PostgreSQL may have much to read again
READY_POLL_S: Final = 0.1
READY_PROBE_TIMEOUT_S: Final = 5.0
READY_PATIENCE_S: Final = 30.0  # then say what is missing, and wait on
LOG_TAIL_LINES: Final = 12
STOP_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class CannotStart(Exception):
    """Something stands in the way. The message says what, and what to do."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """It needs none."""
    parser.add_argument(
        "--procfile", type=Path, default=PROJECT / "Procfile", help="what to run (default: ours)"
    )
    parser.add_argument("--no-demo", action="store_true", help="leave an empty database empty")


async def run(arguments: argparse.Namespace) -> int:
    """Start all, watch over it, and stop all when a signal says so."""
    settings = Settings.from_environ(need_databases=False)
    stop = asyncio.Event()
    for number in STOP_SIGNALS:
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    try:
        with _locked(settings.data_dir):
            return await _run_locked(settings, arguments, stop)
    except (CannotStart, PostgresFault, ValkeyFault, MigrationFault) as fault:
        print(f"chrono48 up: {fault}", file=sys.stderr, flush=True)
        return 1


async def _run_locked(
    settings: Settings, arguments: argparse.Namespace, stop: asyncio.Event
) -> int:
    pid_directory = settings.data_dir / "run"
    pid_directory.mkdir(exist_ok=True)
    for name in pidfile.stop_orphans(pid_directory):
        _say(f"Stopped {name}, left behind by a start that was killed.")
    if not is_free(settings.host, settings.port):
        raise CannotStart(
            f"somebody listens on {settings.host} port {settings.port} already. "
            "Choose another with PORT=8049, and its own DATA_DIR."
        )
    remember_address(settings)
    supervisor = Supervisor(pid_directory)
    work = asyncio.create_task(_start(settings, arguments, supervisor))
    stopped = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({work, stopped}, return_when=asyncio.FIRST_COMPLETED)
        if work.done():
            work.result()  # raises what went wrong
            await stopped
        _say("Stopping.")
    finally:
        work.cancel()
        stopped.cancel()
        await asyncio.gather(work, stopped, return_exceptions=True)
        await supervisor.stop()
    return 0


async def _start(settings: Settings, arguments: argparse.Namespace, supervisor: Supervisor) -> None:
    settings = await _with_databases(settings, supervisor)
    settings = _relaxed(settings, demo=not arguments.no_demo)
    await _prepare(settings, demo=not arguments.no_demo)
    # They get no way to become the owner of the tables.
    served = replace(settings, owner_database_url="")
    environ = environment.environment() | served.to_environ()
    for program in procfile.programs(arguments.procfile, environ, PROJECT):
        supervisor.start(program)
    await _wait_ready(settings)
    _say(f"\n{settings.product_name} is ready: {settings.base_url}\n")
    _say_accounts(settings.data_dir / "demo-accounts.jsonl")
    _say("Ctrl-C stops it.")


async def _with_databases(settings: Settings, supervisor: Supervisor) -> Settings:
    """The settings, with servers of our own where the environment names none."""
    if settings.database_url and settings.redis_url:
        return settings
    data_dir = settings.data_dir
    account = servers_account(data_dir / "postgres")
    choices = Choices.load(data_dir / "embedded.json")
    logs = data_dir / "log"
    logs.mkdir(exist_ok=True)
    if not settings.redis_url:
        valkey = Valkey(data_dir / "valkey", logs / "valkey.log", account, choices)
        valkey.prepare()
        supervisor.start(valkey.program())
    if not settings.database_url:
        postgres = Postgres(data_dir / "postgres", logs / "postgres.log", account, choices)
        if not postgres.directory.exists():
            _say("Making a database, once.")
        await asyncio.to_thread(postgres.prepare)
        supervisor.start(postgres.program())
        await _or_show_log(postgres.wait_ready(SERVER_READY_WITHIN_S), postgres.log_path)
        settings = replace(
            settings, database_url=postgres.app_url, owner_database_url=postgres.owner_url
        )
    if not settings.redis_url:
        await _or_show_log(valkey.wait_ready(SERVER_READY_WITHIN_S), valkey.log_path)
        queue_redis_url = settings.queue_redis_url or valkey.url
        settings = replace(settings, redis_url=valkey.url, queue_redis_url=queue_redis_url)
    if not settings.vapid_private_key:
        settings = replace(settings, vapid_private_key=choices.vapid_private_key)
    if not settings.secret_keys:
        settings = replace(settings, secret_keys=choices.secret_keys)
    return settings


def _relaxed(settings: Settings, *, demo: bool) -> Settings:
    """The demo on this machine asks for no second factor, unless the environment says otherwise."""
    is_ours = demo and settings.on_loopback and not settings.is_https
    if is_ours and not environment.environment().get("SECOND_FACTOR", "").strip():
        # And a demo day's people all sit at one address.
        return replace(settings, second_factor="relaxed", rate_factor=RATE_FACTOR_MAX)
    return settings


async def _prepare(settings: Settings, *, demo: bool) -> None:
    """The schema, and something to see where there is nothing yet."""
    if not settings.owner_database_url:
        return
    for name in await migrate(settings.owner_database_url, APP_ROLE, app_password(settings)):
        _say(f"Applied {name}.")
    if not (demo and settings.on_loopback and await is_empty(settings.owner_database_url)):
        return
    _say("Loading the demo, once.")
    environ = environment.environment() | settings.to_environ()
    command = [sys.executable, "-m", "workers.command", "demo", "load"]
    load = await asyncio.create_subprocess_exec(*command, env=environ, cwd=PROJECT)
    if await load.wait() != 0:
        raise CannotStart("the demo could not be loaded; its words are above")


async def _wait_ready(settings: Settings) -> None:
    """Wait until /readyz says yes, as long as it takes; say from time to time what is missing."""
    loop = asyncio.get_running_loop()
    speaks_at = loop.time() + READY_PATIENCE_S
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.host, settings.host)  # noqa: S104
    url = f"http://{f'[{host}]' if ':' in host else host}:{settings.port}/readyz"
    # Asked under the name that people will use, which the service may insist on.
    headers = {"host": urlsplit(settings.base_url).netloc}
    async with httpx.AsyncClient(trust_env=False, timeout=READY_PROBE_TIMEOUT_S) as client:
        while True:
            try:
                answer = await client.get(url, headers=headers)
                if answer.is_success:
                    return
                said = answer.text
            except httpx.HTTPError as error:
                said = str(error)
            if loop.time() > speaks_at:
                _say(f"Not ready yet: {said}")
                speaks_at = loop.time() + READY_PATIENCE_S
            await asyncio.sleep(READY_POLL_S)


@contextlib.contextmanager
def _locked(data_dir: Path) -> Iterator[None]:
    """Only one of us on a DATA_DIR; the lock goes with this process, however it ends."""
    # Others may pass through to what is theirs (PostgreSQL's account when we are root), and
    # every file in it is private by itself. A folder that exists keeps its mode.
    try:
        if not data_dir.exists():
            data_dir.mkdir(parents=True)
            data_dir.chmod(0o711)
        file = (data_dir / "lock").open("a")
    except OSError as error:
        raise CannotStart(f"DATA_DIR cannot be used: {error}") from None
    with file as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CannotStart(
                f"another 48H Chrono runs on {data_dir} already. "
                "For a second one, choose another DATA_DIR and PORT."
            ) from None
        yield


async def _or_show_log(ready: Awaitable[None], log_path: Path) -> None:
    try:
        await ready
    except TimeoutError:
        lines = log_path.read_text(errors="replace").splitlines() if log_path.exists() else []
        tail = "\n".join(lines[-LOG_TAIL_LINES:])
        raise CannotStart(f"a server did not become ready; {log_path} ends with:\n{tail}") from None


def _say_accounts(path: Path) -> None:
    if not path.exists():
        return
    accounts = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    one_of_each = {(account["role"], account["territory"]): account for account in accounts[::-1]}
    chrono48 = sys.argv[0] if Path(sys.argv[0]).name == "chrono48" else "chrono48"
    _say(f"Demo accounts, one of each kind (`{chrono48} demo accounts` names all):")
    for _, account in sorted(one_of_each.items()):
        _say("  {role:<13} {territory:<28} {email:<44} {password}".format(**account))
    _say(f"\n`{chrono48} demo day`, in a second terminal, plays a plausible day.")


def _say(words: str) -> None:
    print(words, flush=True)
