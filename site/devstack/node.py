"""The private RabbitMQ node as files and environment: its own name, ports, cookie, data, and loopback only."""

import base64
import hashlib
import json
import os
import secrets
import socket
from pathlib import Path
from typing import Any

from devstack.rabbitmq import Server

NAME = "millrace@localhost"  # not the host's name, which may change and would orphan the data
# Two faults of RabbitMQ 3.10, looked after four times a second. It writes the names of new quorum queues to the disk up
# to three minutes late; a queue whose name a kill -9 has lost comes back without a leader and takes nothing ever again
# (measured: now safe within a second). And deleting a queue just after the boot can end the supervisor of all
# dead-letter workers for good, without which no queue that dead-letters starts. No blanks: the start script splits at
# them.
KEEP_NAMES = "[dets:sync(T)||T<-dets:all()]"
KEEP_DEAD_LETTERING = "catch(supervisor:restart_child(rabbit_sup,rabbit_fifo_dlx_sup))"
LOOK_AFTER = f"timer:apply_interval(250,erlang,apply,[fun()->{KEEP_NAMES},{KEEP_DEAD_LETTERING}end,[]])."
# A day more than any time limit may be: RabbitMQ would take the delivery of a task that runs longer away from it.
CONSUMER_TIMEOUT_SECONDS = 8 * 86_400
PERMISSIONS = {
    "relay": {"configure": r"^millrace\..*", "write": r"^millrace\..*", "read": r"^millrace\..*"},
    "worker": {
        "configure": r"^millrace\.ctl\..*",  # each has a queue of its own there
        "write": r"^millrace\.(outcomes|artifacts|bad|ctl\..*)$",
        "read": r"^millrace\.(tasks\..*|ctl|ctl\..*)$",
    },
    "sink": {"configure": "^$", "write": r"^millrace\.bad$", "read": r"^millrace\.(outcomes|artifacts|dead)$"},
}


def prepare(folder: Path, server: Server, broker: dict[str, Any]) -> dict[str, str]:
    """Write the node's files below `folder` and return the environment that makes the server use them."""
    for part in ("home", "log", "data"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    _write_cookie(folder / "home" / ".erlang.cookie")
    _write_secret(folder / "definitions.json", json.dumps(_definitions(broker["logins"]), indent=2))
    _write_secret(folder / "rabbitmq.conf", _configuration(broker["port"]))
    _write_secret(folder / "enabled_plugins", "[].\n")
    # The one name that is ever looked up, whatever the machine's own hosts file says of it.
    _write_secret(folder / "inetrc", '{lookup, [file]}.\n{host, {127,0,0,1}, ["localhost"]}.\n')
    home = server.link_without_plugins(folder / "server")
    found = {"PATH": f"{server.programs}:{os.environ.get('PATH', os.defpath)}", "LD_LIBRARY_PATH": server.libraries}
    return {**found, **_environment(folder, home, broker)}


def answers(port: int) -> bool:
    """Whether a broker speaks AMQP there by now: it greets a client that names the protocol."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=2) as connection:
            connection.sendall(b"AMQP\x00\x00\x09\x01")
            return bool(connection.recv(1))
    except OSError:
        return False


def _configuration(port: int) -> str:
    return f"""\
listeners.tcp.1 = 127.0.0.1:{port}
load_definitions = definitions.json
heartbeat = 20
consumer_timeout = {CONSUMER_TIMEOUT_SECONDS * 1000}
max_message_size = 1048576
# What it holds is in memory as well; the default of 512 MB would let artifacts raise the memory alarm, which stops all.
raft.wal_max_size_bytes = 67108864
vm_memory_high_watermark.absolute = 512MB
disk_free_limit.absolute = 200MB
log.console = false
log.file = rabbitmq.log
log.file.level = info
log.file.rotation.size = 10485760
log.file.rotation.count = 2
"""


def _definitions(logins: dict[str, str]) -> dict[str, Any]:
    """Seeding a node with its users also keeps the server from making its well-known guest."""
    return {
        "vhosts": [{"name": "/"}],
        "users": [
            {
                "name": role,
                "password_hash": _hash(password),
                "hashing_algorithm": "rabbit_password_hashing_sha256",
                "tags": [],
            }
            for role, password in logins.items()
        ],
        "permissions": [{"user": role, "vhost": "/", **PERMISSIONS[role]} for role in logins],
    }


def _hash(password: str) -> str:
    """RabbitMQ's form: a salt of 4 bytes, then the hash of salt and password."""
    salt = secrets.token_bytes(4)
    return base64.b64encode(salt + hashlib.sha256(salt + password.encode()).digest()).decode()


def _environment(folder: Path, home: Path, broker: dict[str, Any]) -> dict[str, str]:
    return {
        "HOME": str(folder / "home"),
        "LANG": "C.UTF-8",
        "ERL_EPMD_PORT": str(broker["epmd_port"]),
        "ERL_EPMD_ADDRESS": "127.0.0.1",
        "ERL_INETRC": str(folder / "inetrc"),
        "ERL_CRASH_DUMP_SECONDS": "0",
        "RUNNING_UNDER_SYSTEMD": "true",  # the start script then becomes the VM: no shell in between
        # From the node's own folder, in which it is started: the script does not bear blanks in it.
        "RABBITMQ_SCRIPTS_DIR": str(home.relative_to(folder) / "sbin"),
        "RABBITMQ_NODENAME": NAME,
        "RABBITMQ_DIST_PORT": str(broker["dist_port"]),
        # Without the first, distribution listens on every address of the machine.
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": f"-kernel inet_dist_use_interface {{127,0,0,1}} -eval {LOOK_AFTER}",
        "RABBITMQ_CONF_ENV_FILE": str(folder / "none"),  # or the machine's own in /etc would be read
        "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq"),
        "RABBITMQ_ADVANCED_CONFIG_FILE": str(folder / "none"),
        "RABBITMQ_CONFIG_FILES": str(folder / "none"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "enabled_plugins"),
        "RABBITMQ_MNESIA_BASE": str(folder / "data"),
        "RABBITMQ_LOG_BASE": str(folder / "log"),
        "RABBITMQ_PID_FILE": str(folder / "pid"),
    }


def _write_cookie(path: Path) -> None:
    if not path.exists():
        _write_secret(path, secrets.token_urlsafe(32))
    path.chmod(0o400)


def _write_secret(path: Path, text: str) -> None:
    path.touch(mode=0o600)
    path.write_text(text)
