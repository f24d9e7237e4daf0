"""`/static`: style, scripts and icons. Browsers keep them and ask each time whether they changed."""

from pathlib import Path
from typing import Any, Final

from starlette.responses import Response
from starlette.staticfiles import StaticFiles

DIRECTORY: Final = Path(__file__).parents[1] / "static"
WORKERS: Final = {"service-worker.js", "push-worker.js"}
NOT_EVERYWHERE: Final = {
    "attention.js",
    "directory.js",
    "lock.js",
    "passkey.js",
    "push.js",
    "signed-in.js",
}  # app.js, or another script, asks for them where they are needed
# What every page imports, so that a browser asks for all at once; and the service worker keeps them.
MODULES: Final = sorted(
    {script.name for script in DIRECTORY.glob("*.js")} - WORKERS - NOT_EVERYWHERE - {"app.js"}
)


class Assets(StaticFiles):
    """Files with an ETag: a new version is seen at once, an old one costs an empty answer."""

    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        """The file, or 304."""
        response = super().file_response(*args, **kwargs)
        response.headers["Cache-Control"] = "no-cache"
        if response.headers.get("Content-Type", "").endswith("+xml"):
            # Starlette names the encoding of text only; XML is text as well (RFC 7303).
            response.headers["Content-Type"] += "; charset=utf-8"
        return response
