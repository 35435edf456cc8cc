"""The hint that wakes the relay after a commit; a lost one costs a sweep's interval, never a task.

PostgreSQL: NOTIFY, heard on any host. SQLite: a datagram to a unix socket beside the database.
"""

import contextlib
import hashlib
import os
import socket
import tempfile
from pathlib import Path

from django.conf import settings
from django.db import connection

CHANNEL = "millrace_due"


def relay() -> None:
    """Tell the relay that tasks may be due. To be called after the commit."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f"NOTIFY {CHANNEL}")
        return
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as hint:
        hint.setblocking(False)
        hint.sendto(b"", os.fspath(address()))


def address() -> Path:
    """The socket on which the relay of this database listens."""
    beside = Path(settings.VAR) / "relay.sock"
    if len(os.fsencode(beside)) < 100:
        return beside
    # A unix socket's address has room for 107 bytes.
    digest = hashlib.sha256(os.fsencode(beside)).hexdigest()[:24]
    return Path(tempfile.gettempdir()) / f"millrace-{digest}.sock"
