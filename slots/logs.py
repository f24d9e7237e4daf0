"""How log lines look: an event and its key-values, on stderr. Never a patient, never a secret."""

import logging
import sys
from collections.abc import Callable
from typing import Any, Final

import msgspec
import structlog

# What a terminal obeys, and what may end a line: written as it is called (CWE-117).
CONTROLS: Final = {
    code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160), 0x2028, 0x2029)
}


def configure(log_format: str) -> None:
    """Set up structlog, and the standard library's loggers of our dependencies, once at start.

    log_format: "text" for people, "json" for machines.
    """
    shared: list[structlog.typing.Processor] = [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    renderer = _renderer(log_format)
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[*shared, structlog.processors.format_exc_info],
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.INFO)
    # One line per request of a client library would drown ours, and name its address.
    logging.getLogger("httpx").setLevel(logging.WARNING)
    structlog.configure(
        processors=[
            *shared,
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        # Past the standard library: one line per request is on the way of every booking.
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )


def _renderer(log_format: str) -> structlog.typing.Processor:
    if log_format == "json":
        return structlog.processors.JSONRenderer(serializer=_json)
    if sys.stderr.isatty():
        return structlog.dev.ConsoleRenderer(pad_event_to=24)
    render = structlog.processors.LogfmtRenderer(
        key_order=["timestamp", "level", "event"], bool_as_flag=False
    )
    return lambda logger, name, fields: render(logger, name, fields).translate(CONTROLS)


def _json(value: Any, default: Callable[[Any], Any], **_: Any) -> str:
    return msgspec.json.encode(value, enc_hook=default).decode()
