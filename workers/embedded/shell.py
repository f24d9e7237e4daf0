"""`make db`: psql on the embedded database of DATA_DIR, as the owner of its tables."""

import os
import sys
from urllib.parse import unquote, urlsplit

from slots.settings import environment
from workers.embedded.postgres import binary
from workers.embedded.running import settings_of_installation


def main() -> None:
    """Become psql."""
    url = urlsplit(settings_of_installation().owner_database_url)
    if not url.hostname:
        sys.exit("nothing was started here yet: make run")
    # In the environment and not on the command line, where others could read the password.
    environ = environment() | {"PGPASSWORD": unquote(url.password or "")}
    bare = url._replace(netloc=f"{url.username}@{url.hostname}:{url.port or 5432}").geturl()
    os.execve(binary("psql"), ["psql", bare, *sys.argv[1:]], environ)


if __name__ == "__main__":
    main()
