"""The settings of an installation seen from a second terminal: where its embedded servers are."""

import json
from dataclasses import replace
from typing import Final

from slots.settings import Settings
from workers.embedded.account import servers_account
from workers.embedded.choices import Choices
from workers.embedded.postgres import Postgres
from workers.embedded.valkey import Valkey

CHOICES_FILE: Final = "embedded.json"


def settings_of_installation() -> Settings:
    """What the environment says; where it names no servers, those that `chrono48 up` started here.

    DATABASE_URL and REDIS_URL are "" where there is neither.

    Raises:
        SettingsError: The environment makes no sense.
    """
    settings = Settings.from_environ(need_databases=False)
    path = settings.data_dir / CHOICES_FILE
    try:
        choices = Choices(**json.loads(path.read_text(encoding="utf-8")))
    except (FileNotFoundError, PermissionError):
        return settings
    directory, account = settings.data_dir, servers_account()
    if not settings.database_url:
        postgres = Postgres(directory / "postgres", directory / "log", account, choices)
        settings = replace(
            settings,
            database_url=postgres.app_url,
            owner_database_url=settings.owner_database_url or postgres.owner_url,
        )
    if not settings.redis_url:
        url = Valkey(directory / "valkey", directory / "log", account, choices).url
        settings = replace(settings, redis_url=url, queue_redis_url=settings.queue_redis_url or url)
    return settings
