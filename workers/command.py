"""The command line `chrono48`. Each command is a module with `add_arguments` and `run`."""

import argparse
import asyncio
import socket
import sys
from importlib import import_module
from typing import Final, Protocol

from slots import logs
from slots.settings import Settings, SettingsError

# Imported only when asked for: `chrono48 up` need not wait for what `people import` needs.
COMMANDS: Final = {
    "up": ("workers.up", "start everything; PostgreSQL and Valkey too where none is given"),
    "migrate": ("workers.migrate", "bring the database to this version"),
    "demo": ("workers.demo.command", "load the demo, play a day of it, name its accounts"),
    "territory": ("workers.people.territory", "add a territory, say whether it keeps contacts"),
    "account": ("workers.people.account", "add an account, reset its password, disable it"),
    "people": ("workers.people.command", "import people and places from a table"),
    "privacy": ("workers.privacy.command", "list what is stored about whom, and until when"),
    "audit": ("workers.audit", "prove that nobody has changed the audit"),
    "doctor": ("workers.doctor.command", "say in words what is wrong with this installation"),
}


class Command(Protocol):
    """What the module of a command offers."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare its arguments."""

    async def run(self, arguments: argparse.Namespace) -> int:
        """Do it; the exit status."""


def main() -> None:
    """Run one command and leave with its status."""
    words = sys.argv[1:]
    parser = argparse.ArgumentParser(prog="chrono48", description="48H Chrono")
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    command: Command | None = None
    for name, (module, purpose) in COMMANDS.items():
        subparser = subparsers.add_parser(name, help=purpose, description=purpose)
        if words and words[0] == name:
            command = import_module(module)
            command.add_arguments(subparser)
    arguments = parser.parse_args(words)
    assert command is not None  # argparse refused what is not a command
    try:
        logs.configure(Settings.from_environ(need_databases=False).log_format)
        status = asyncio.run(command.run(arguments))
    except SettingsError as error:
        print(f"chrono48: {error}. See .env.example.", file=sys.stderr)
        status = 1
    except (ConnectionError, TimeoutError, socket.gaierror) as error:
        why = str(error) or "no answer in time"
        print(f"chrono48: {why}. Is it running? `chrono48 doctor` looks.", file=sys.stderr)
        status = 1
    except KeyboardInterrupt:
        status = 130
    sys.exit(status)


if __name__ == "__main__":
    main()
