"""`/static`: style, scripts and icons. Browsers keep them and ask each time whether they changed."""

from pathlib import Path
from typing import Any, Final

from starlette.responses import Response
from starlette.staticfiles import StaticFiles

DIRECTORY: Final = Path(__file__).parents[1] / "static"


class Assets(StaticFiles):
    """Files with an ETag: a new version is seen at once, an old one costs an empty answer."""

    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        """The file, or 304."""
        response = super().file_response(*args, **kwargs)
        response.headers["Cache-Control"] = "no-cache"
        return response
