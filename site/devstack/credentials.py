"""The secrets of one data folder, made at its first start and kept: `secrets.json`."""

import json
import os
import secrets
import socket
from pathlib import Path
from typing import Any

from devstack import places
from devstack.screen import Stop

ROLES = ("relay", "worker", "sink")
PORT_NAMES = ("port", "dist_port", "epmd_port")
# Below the range from which the kernel takes the ports of outgoing connections, one of which could hold a kept port.
PORTS = range(20_000, 32_000)


def ensure(var: Path) -> dict[str, Any]:
    """Read the folder's secrets, or make the folder (0700) and them (0600)."""
    places.make_private(var)
    return read(var) or _write(var, _fresh())


def read(var: Path) -> dict[str, Any]:
    """What the first start wrote; empty before it. Raises Stop when it is no longer whole."""
    path = var / "secrets.json"
    try:
        text = path.read_text(errors="replace")
        data = json.loads(text)
    except FileNotFoundError:
        return {}
    except PermissionError as error:
        raise Stop(f"{places.short(path)} cannot be used: {places.not_open(path) or error.strerror}", code=2) from None
    except OSError as error:
        raise _unusable(path, (error.strerror or str(error)).lower()) from None
    except ValueError:
        raise _unusable(path, "it is not JSON" if text.strip() else "it is empty") from None
    if not _is_whole(data):
        raise _unusable(path, "a part of it is missing")
    return dict(data)


def choose_other_ports(var: Path) -> dict[str, Any]:
    """For when another program has taken one of the private broker's: nobody outside knows them."""
    data = read(var)
    data["broker"].update(_free_ports())
    return _write(var, data)


def put_token(var: Path, role: str, text: str) -> None:
    """What the next start of a process of this role shows."""
    _write(var, {**read(var), f"{role}_token": text})


def amqp_url(data: dict[str, Any], role: str) -> str:
    broker = data["broker"]
    return f"amqp://{role}:{broker['logins'][role]}@127.0.0.1:{broker['port']}/%2F"


def free_port() -> int:
    while not is_free(port := secrets.choice(PORTS)):
        pass
    return port


def is_free(port: int) -> bool:
    try:
        bind(port)
    except OSError:
        return False
    return True


def bind(port: int) -> None:
    """For a moment. Raises OSError as a server on this port would."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", port))


def _is_whole(data: Any) -> bool:
    try:
        broker = data["broker"]
        texts = [data[name] for name in ("secret_key", "sink_token", "worker_token")]
        texts += [broker["logins"][role] for role in ROLES]
        ports = [broker[name] for name in PORT_NAMES]
    except (KeyError, TypeError):
        return False
    return all(text and isinstance(text, str) for text in texts) and all(isinstance(port, int) for port in ports)


def _unusable(path: Path, reason: str) -> Stop:
    remedy = "put a copy of it back, or remove it: the next start makes new secrets, and everybody signs in anew"
    return Stop(f"{places.short(path)} cannot be used: {reason}; {remedy}", code=2)


def _fresh() -> dict[str, Any]:
    return {
        "secret_key": secrets.token_urlsafe(50),
        "sink_token": "mrs_" + secrets.token_urlsafe(32),
        "worker_token": "mrw_" + secrets.token_urlsafe(32),
        "broker": {**_free_ports(), "logins": {role: secrets.token_urlsafe(24) for role in ROLES}},
    }


def _free_ports() -> dict[str, int]:
    ports: dict[str, int] = {}
    for name in PORT_NAMES:
        while (port := free_port()) in ports.values():
            pass
        ports[name] = port
    return ports


def _write(var: Path, data: dict[str, Any]) -> dict[str, Any]:
    """Whole or not at all, also when the machine goes off in between."""
    fresh = var / "secrets.json.new"
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump(data, file, indent=2)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(var / "secrets.json")
    return data
