"""`make db`: psql on the embedded database of DATA_DIR, as the owner of its tables."""

import os
import sys

from slots.settings import Settings, environment
from workers.embedded.account import servers_account
from workers.embedded.choices import Choices
from workers.embedded.postgres import Postgres, binary


def main() -> None:
    """Become psql."""
    data_dir = Settings.from_environ(need_databases=False).data_dir
    path = data_dir / "embedded.json"
    if not path.exists():
        sys.exit(f"nothing was started in {data_dir} yet: make run")
    choices = Choices.read(path)
    postgres = Postgres(data_dir / "postgres", data_dir / "log", servers_account(), choices)
    # In the environment and not on the command line, where others could read the password.
    environ = environment() | {"PGPASSWORD": choices.owner_password}
    url = postgres.owner_url.replace(f":{choices.owner_password}@", "@")
    os.execve(binary("psql"), ["psql", url, *sys.argv[1:]], environ)


if __name__ == "__main__":
    main()
