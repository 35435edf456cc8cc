"""What each process may know: its own login and token, nobody else's."""

import os
from typing import Any

from devstack import bubblewrap, credentials, places
from devstack.screen import Stop

NAMES = ("broker", "web", "relay", "worker", "sink")
SECRETS = ("MILLRACE_SECRET_KEY", "DATABASE_URL", "RABBITMQ_URL", "MILLRACE_TOKEN", "MILLRACE_API_TOKEN")
KNOWN = {
    "broker": {"RABBITMQ_URL"},  # so that it knows that it is not needed
    "web": {"MILLRACE_SECRET_KEY", "DATABASE_URL"},
    "relay": {"MILLRACE_SECRET_KEY", "DATABASE_URL"},
    "worker": set(),
    "sink": set(),
}


def environment(role: str) -> dict[str, str]:
    """The environment of a process of this role. Raises Stop before the first start has made the secrets."""
    var = places.var()
    secrets = credentials.read(var)
    if not secrets:
        raise Stop(f"{places.short(var)} is not set up yet; run bin/setup first", code=2)
    hidden = set(SECRETS) - KNOWN[role]
    inherited = {name: value for name, value in os.environ.items() if name not in hidden}
    return {**inherited, **_paths(), **_own(role, secrets)}


def _paths() -> dict[str, str]:
    outside = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    ours = [str(places.ROOT), str(places.ROOT / "site")]
    path = [*ours, *(folder for folder in outside if folder and folder not in ours)]
    return {"MILLRACE_VAR": str(places.var()), "PYTHONPATH": os.pathsep.join(path), "PYTHONUNBUFFERED": "1"}


def _own(role: str, secrets: dict[str, Any]) -> dict[str, str]:
    own: dict[str, str] = {}
    if role in credentials.ROLES:
        own["RABBITMQ_URL"] = os.environ.get("RABBITMQ_URL") or credentials.amqp_url(secrets, role)
    if role == "worker":
        own |= bubblewrap.environment()
    if role in ("worker", "sink"):
        port = os.environ.get("MILLRACE_PORT") or places.kept_port(places.var())
        own["MILLRACE_TOKEN"] = secrets[f"{role}_token"]
        own["MILLRACE_URL"] = os.environ.get("MILLRACE_URL") or f"http://127.0.0.1:{port}"
    return own
