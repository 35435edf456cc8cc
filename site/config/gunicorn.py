"""How gunicorn serves the web: threads, because a request mostly waits for the database; loopback only."""

import os
from typing import Any

# Here, before any process is forked: gunicorn would start one after the other that cannot run with these settings.
from config.settings import ENV, PORT, VAR

pythonpath = "site"
bind = f"127.0.0.1:{PORT}"
worker_class = "config.serving.Worker"
threads = 8
limit_request_line = 8_190  # gunicorn's most
limit_request_field_size = (
    16_384  # browsers send the cookies of everything else on this machine along, whatever its port
)
keepalive = 75  # the sink and the workers keep their connection
graceful_timeout = 3  # honcho kills after 5
# Its sign of life, given at each turn: on a disk a turn waits while anything is being written to it.
SHARED_MEMORY = "/dev/shm"  # noqa: S108 gunicorn makes a file there that nobody else can open
worker_tmp_dir = SHARED_MEMORY if os.access(SHARED_MEMORY, os.W_OK) else None
loglevel = "warning"
control_socket_disable = True


def on_starting(_server: Any) -> None:
    if ENV == "production":
        import config.wsgi  # noqa: F401, PLC0415 sets Django up
        from config import connections  # noqa: PLC0415

        connections.refuse_old_database()


def when_ready(_server: Any) -> None:
    """`manage.py link`, and a worker that is started later by itself, find the web by this."""
    (VAR / "port").write_text(f"{PORT}\n")
