"""The service on a real port, and people with browsers."""

from tests.browser import chromium, joins, service, world

__all__ = ["chromium", "joins", "service", "world"]
