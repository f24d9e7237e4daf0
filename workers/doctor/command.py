"""`chrono48 doctor`: what is wrong with this installation, in words, and what to do."""

import argparse
from collections.abc import AsyncIterator

from slots.settings import Settings, SettingsError
from workers.doctor import broker, ledger, surroundings
from workers.doctor.finding import Finding
from workers.embedded.running import settings_of_installation


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """It takes none: it reads the settings as the service does."""


async def run(arguments: argparse.Namespace) -> int:
    """Print each finding as it comes. 1 where there is a problem."""
    problems = 0
    async for finding in examine():
        print(finding, flush=True)
        problems += finding.is_problem
    print(f"\n{problems} problem{'s' * (problems > 1)}." if problems else "\nAll is well.")
    return 1 if problems else 0


async def examine(settings: Settings | None = None) -> AsyncIterator[Finding]:
    """Every finding; of the installation that the environment describes where none is given."""
    if settings is None:
        try:
            settings = settings_of_installation()
        except SettingsError as error:
            yield Finding("settings", str(error), "see .env.example")
            return
    yield Finding("settings", f"HOST {settings.host}, BASE_URL {settings.base_url}")
    for part in (ledger, broker, surroundings):
        async for finding in part.examine(settings):
            yield finding
