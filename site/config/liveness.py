"""Whether PostgreSQL still holds a connection: seen by its socket, instead of asked for before each request.

A server that ends a connection says so, or closes it, and says nothing else unasked. So while there is nothing to read,
Django's `SELECT 1` would only be answered. Every few seconds it is asked all the same: networks and hosts that vanish
say nothing.
"""

import select
import threading
import time
from typing import Any

from django.core.signals import request_started
from django.db import connection

BELIEVED_SECONDS = 5.0

_of_thread = threading.local()  # as connections are


def watch() -> None:
    """From here on, in this process."""
    request_started.connect(_believe, dispatch_uid="liveness")  # after Django's own, which has each one asked


def _believe(**_: Any) -> None:
    own: Any = connection
    if own.vendor == "sqlite":
        return
    now = time.monotonic()
    if now - getattr(_of_thread, "asked_at", -BELIEVED_SECONDS) < BELIEVED_SECONDS and _is_silent(own.connection):
        own.health_check_done = True
    else:
        _of_thread.asked_at = now


def _is_silent(own: Any) -> bool:
    if own is None or own.closed:
        return False
    poll = select.poll()
    poll.register(own.fileno(), select.POLLIN)
    return not poll.poll(0)
