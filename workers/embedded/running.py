"""An installation seen from a second terminal: its address, and where its embedded servers are."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Final

from slots.settings import Settings, environment
from workers.embedded.account import servers_account
from workers.embedded.choices import Choices
from workers.embedded.postgres import Postgres
from workers.embedded.valkey import Valkey

CHOICES_FILE: Final = "embedded.json"
ADDRESS_FILE: Final = "address.json"
ADDRESS: Final = ("HOST", "PORT", "BASE_URL")  # one of them said means that all are meant


def settings_of_installation() -> Settings:
    """What the environment says; where it is silent, what `chrono48 up` started in this DATA_DIR.

    So a second terminal need not repeat PORT. DATABASE_URL and REDIS_URL are "" where there is
    neither.

    Raises:
        SettingsError: The environment makes no sense.
    """
    environ = environment()
    settings = Settings.from_environ(environ, need_databases=False)
    if not any(environ.get(name, "").strip() for name in ADDRESS):
        remembered = _address(settings.data_dir)
        settings = Settings.from_environ(environ | remembered, need_databases=False)
    path = settings.data_dir / CHOICES_FILE
    try:
        choices = Choices(**json.loads(path.read_text(encoding="utf-8")))
    except (FileNotFoundError, PermissionError):
        return settings
    directory, account = settings.data_dir, servers_account()
    if not settings.secret_keys:
        settings = replace(settings, secret_keys=choices.secret_keys)
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


def remember_address(settings: Settings) -> None:
    """Keep the address for `settings_of_installation`; its DATA_DIR must be there."""
    environ = settings.to_environ()
    address = {name: environ[name] for name in ADDRESS}
    (settings.data_dir / ADDRESS_FILE).write_text(json.dumps(address) + "\n", encoding="utf-8")


def _address(data_dir: Path) -> dict[str, str]:
    try:
        return dict(json.loads((data_dir / ADDRESS_FILE).read_text(encoding="utf-8")))
    except (FileNotFoundError, PermissionError, ValueError):
        return {}  # never started here, or cut off while writing
