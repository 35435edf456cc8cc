"""The hint that wakes the relay after a commit; a lost one costs a sweep's interval, never a task.

A datagram to a unix socket in the var folder, where the relay of this database listens while it has the seat. With
PostgreSQL it may have it on another host: where none listens here, NOTIFY is heard on any.
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

_line = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)  # the kernel forgets whom it leads to once that one is gone
_line.setblocking(False)


def relay() -> None:
    """Tell the relay that tasks may be due. To be called after the commit."""
    if not (_told() or (_found() and _told())) and connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f"NOTIFY {CHANNEL}")


def is_near() -> bool:
    """Whether a relay listens on this host, as far as can be seen without telling it something."""
    with contextlib.suppress(OSError):
        return bool(_line.getpeername())
    return _found()


def address() -> str:
    """The socket on which the relay of this database listens."""
    name = "relay.sock" if connection.vendor == "sqlite" else f"relay-{_digest(*_server())}.sock"
    beside = os.fspath(Path(settings.VAR) / name)
    # A unix socket's address has room for 107 bytes.
    return beside if len(os.fsencode(beside)) < 100 else f"{tempfile.gettempdir()}/millrace-{_digest(beside)}.sock"


def _told() -> bool:
    try:
        _line.send(b"")
    except BlockingIOError:
        return True  # it is yet to read the last ones, and looks after that
    except OSError:
        return False
    return True


def _found() -> bool:
    try:
        _line.connect(address())
    except OSError:
        return False
    return True


def _server() -> list[str]:
    """Which one, and which database of it."""
    database = connection.get_connection_params()
    return [str(database.get(part, "")) for part in ("host", "port", "dbname")]


def _digest(*parts: str) -> str:
    return hashlib.sha256(os.fsencode("\0".join(parts))).hexdigest()[:24]
