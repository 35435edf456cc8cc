"""PUBLIC. Named log events with fields, each written as one readable line on stderr.

    log = get_logger()
    log.warning("broker.waiting", text="waiting for RabbitMQ at {address}: {reason}", address=address, reason=reason)

The first argument is the event's name; `text` is its sentence, filled with the fields. Without `text` the line is the
name followed by the fields. No time and no process name: honcho, systemd and containers put them in front of it.
"""

import logging
import sys
from collections.abc import MutableMapping
from contextlib import suppress
from typing import Any, TextIO, cast

import structlog
from structlog.typing import FilteringBoundLogger


def configure() -> None:
    """Call once at the start of a process."""
    structlog.configure(
        processors=[structlog.stdlib.add_log_level, structlog.processors.format_exc_info, _as_line],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.WriteLoggerFactory(file=cast("TextIO", _Patient())),
        cache_logger_on_first_use=True,
    )
    # pika tells every lost connection several times, with tracebacks; broker.py says it once.
    logging.getLogger("pika").setLevel(logging.CRITICAL)


def get_logger() -> FilteringBoundLogger:
    logger: FilteringBoundLogger = structlog.get_logger()
    return logger


class _Patient:
    """Stderr, whose disk may be full and whose reader may have gone: nothing else is to end because of that."""

    def write(self, text: str) -> None:
        with suppress(OSError, ValueError):
            sys.stderr.write(text)

    def flush(self) -> None:
        with suppress(OSError, ValueError):
            sys.stderr.flush()


def _as_line(_logger: Any, _method: str, fields: MutableMapping[str, Any]) -> str:
    level, name = fields.pop("level", "info"), fields.pop("event")
    text, traceback = fields.pop("text", None), fields.pop("exception", None)
    line = _filled(text, fields) if text else " ".join([str(name), *(f"{k}={v}" for k, v in fields.items())])
    shown = line if level == "info" else f"{level}: {line}"
    return f"{shown}\n{traceback}" if traceback else shown


def _filled(text: str, fields: MutableMapping[str, Any]) -> str:
    one_line = {name: " ".join(str(value).split()) for name, value in fields.items()}
    return text.format_map(one_line)
