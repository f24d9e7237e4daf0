"""What of all that a browser asks for is a sign of a person, and what its pages do by themselves. Pure.

A page that somebody opens is one, and so is whatever changes something, the page's own word that
somebody moves before it included. Parts of pages that are drawn again, live boards and sockets are
none: a board that nobody looks at must not stay open because it is busy.
"""

from starlette.datastructures import Headers
from starlette.types import Scope


def is_sign_of_a_person(scope: Scope) -> bool:
    """Whether whoever is behind this request is there."""
    if scope["type"] != "http":
        return False
    if scope["method"] not in ("GET", "HEAD", "OPTIONS"):
        # What waits for a network is sent again and again by the page alone (static/outbox.js).
        return b"fragment=" not in scope["query_string"]
    headers = Headers(scope=scope)
    mode = headers.get("sec-fetch-mode")
    if mode is not None:
        return mode == "navigate"
    # An older browser, or one on plain http: pages ask for their parts by name.
    return "text/html" in headers.get("accept", "") and b"fragment=" not in scope["query_string"]


def is_asked_by_a_page(scope: Scope) -> bool:
    """Whether a script of a page asks, which cannot be led to another page."""
    return Headers(scope=scope).get("sec-fetch-mode", "navigate") != "navigate"
