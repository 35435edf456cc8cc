"""The web's log: the same one-line form as the worker's and the sink's, and only what an operator can act on."""

import logging
from typing import Any

from workers import log


def configure(settings: dict[str, Any]) -> None:
    """Django calls it at each start with its setting LOGGING: `{"level": "WARNING"}`."""
    log.configure()
    handler = logging.StreamHandler()
    handler.setFormatter(_Line())
    logging.basicConfig(handlers=[handler], level=settings["level"], force=True)
    logging.getLogger("django").handlers.clear()
    # What it looks for in vain it tells with all that the page is made of, such as the text of a new token.
    logging.getLogger("django.template").setLevel(logging.INFO)
    # A 404 or a 401 is the caller's business and has been answered; a 500 is logged as an error.
    logging.getLogger("django.request").setLevel(logging.ERROR)
    logging.getLogger("django.security").setLevel(logging.ERROR)


class _Line(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        if record.name.startswith("django.security"):  # what somebody has sent; where in Django it was met says nothing
            record.exc_info = None
        return f"{record.levelname.lower()}: {super().format(record)}"
