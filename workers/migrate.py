"""`chrono48 migrate`: bring the database to this version."""

import argparse
from urllib.parse import unquote, urlsplit

from slots.migration import APP_ROLE, MigrationFault, migrate
from slots.settings import Settings, SettingsError
from workers.embedded.running import settings_of_installation


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """It takes none: see OWNER_DATABASE_URL."""


async def run(arguments: argparse.Namespace) -> int:
    """Apply what is missing and name it."""
    settings = settings_of_installation()
    if not settings.owner_database_url:
        raise SettingsError("OWNER_DATABASE_URL is missing")
    try:
        applied = await migrate(settings.owner_database_url, APP_ROLE, app_password(settings))
    except MigrationFault as fault:
        print(f"chrono48 migrate: {fault}")
        return 1
    print("\n".join(f"applied {name}" for name in applied) or "up to date")
    return 0


def app_password(settings: Settings) -> str | None:
    """The password that the application signs in with; None where another role is named."""
    url = urlsplit(settings.database_url)
    if url.username != APP_ROLE or url.password is None:
        return None
    return unquote(url.password)
