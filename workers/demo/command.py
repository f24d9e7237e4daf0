"""`chrono48 demo load`, `demo accounts` and `demo day`."""

import argparse

from workers.demo import accounts, day, load
from workers.embedded.running import settings_of_installation


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """One of its three commands."""
    subparsers = parser.add_subparsers(dest="demo_command", metavar="COMMAND", required=True)
    for module in (load, accounts, day):
        module.add_parser(subparsers)


async def run(arguments: argparse.Namespace) -> int:
    """Do it; the exit status."""
    status: int = await arguments.run(arguments, settings_of_installation())
    return status
