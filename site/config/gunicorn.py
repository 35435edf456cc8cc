"""How gunicorn serves the web: threads, because a request mostly waits for the database; loopback only."""

from pathlib import Path
from typing import Any

from config import env

VAR = env.folder("MILLRACE_VAR", Path(__file__).resolve().parents[2] / "var")
PORT = env.whole_number("MILLRACE_PORT", 8000, 1, 65535)

pythonpath = "site"
bind = f"127.0.0.1:{PORT}"
worker_class = "gthread"
threads = 8
keepalive = 75  # the sink and the workers keep their connection
graceful_timeout = 3  # honcho kills after 5
loglevel = "warning"
control_socket_disable = True


def when_ready(_server: Any) -> None:
    """`manage.py link`, and a worker that is started later by itself, find the web by this."""
    (VAR / "port").write_text(f"{PORT}\n")
