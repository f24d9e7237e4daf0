"""`/manifest.webmanifest`: what a phone needs to put the service among its applications.

W3C Web Application Manifest. Open to everybody: browsers fetch it without a session.
"""

from typing import Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse

from web.state import State

MEDIA_TYPE: Final = "application/manifest+json"
# As --accent and --ground in tokens.css: the splash before the first page is drawn.
ACCENT: Final = "#0a5aa8"
GROUND: Final = "#eff1f4"
ICONS: Final[list[dict[str, str]]] = [
    {"src": "/static/icon.svg", "sizes": "any", "type": "image/svg+xml"},
    {"src": "/static/icon-192.png", "sizes": "192x192", "type": "image/png"},
    {"src": "/static/icon-512.png", "sizes": "512x512", "type": "image/png"},
    {
        "src": "/static/icon-maskable-512.png",
        "sizes": "512x512",
        "type": "image/png",
        "purpose": "maskable",
    },
]
# Where a long press on the icon leads; home itself opens each person's own screen.
SHORTCUTS: Final[list[dict[str, str]]] = [
    {"name": "Mes disponibilités", "url": "/disponibilites"},
    {"name": "Orienter", "url": "/orienter"},
    {"name": "Annuaire", "url": "/annuaire"},
]


async def manifest(request: Request[State]) -> JSONResponse:
    """The manifest, under the name that this installation has chosen."""
    name = request.state["settings"].product_name
    content: dict[str, Any] = {
        "id": "/",
        "name": name,
        "short_name": name,
        "description": "Places de soins libres dans les 48 heures",
        "lang": "fr",
        "dir": "ltr",
        "start_url": "/",
        "scope": "/",
        "display": "standalone",
        "background_color": GROUND,
        "theme_color": ACCENT,
        "icons": ICONS,
        "shortcuts": SHORTCUTS,
    }
    return JSONResponse(content, media_type=MEDIA_TYPE, headers={"Cache-Control": "no-cache"})
