"""How gunicorn serves the web: threads, because a request mostly waits for the database; loopback only."""

from config import env

pythonpath = "site"
bind = f"127.0.0.1:{env.whole_number('MILLRACE_PORT', 8000, 1, 65535)}"
worker_class = "gthread"
threads = 8
keepalive = 75  # the sink and the workers keep their connection
graceful_timeout = 3  # honcho kills after 5
loglevel = "warning"
control_socket_disable = True
