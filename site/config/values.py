"""Which settings were given, and from where; what is secret in them is masked."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from config import env
from devstack.options import VARIABLES

if TYPE_CHECKING:
    from collections.abc import Iterator

MASK = "***"
SECRET = re.compile("SECRET|TOKEN|PASSWORD|OPTIONS|KEY")
OTHERS = ("DATABASE_URL", "RABBITMQ_URL", "WEB_CONCURRENCY")


@dataclass(frozen=True, slots=True)
class Value:
    name: str
    shown: str
    origin: str


def values() -> Iterator[Value]:
    """The order of precedence is that of the origins: the environment, what the data folder keeps, the default."""
    for name in sorted({*VARIABLES, *OTHERS}):
        given = os.environ.get(name, "")
        if name in env.wrong:
            yield Value(name, shown(name, given), "environment, not accepted: the default counts")
        elif given:
            yield Value(name, shown(name, given), "environment")
        elif name in env.read_values:
            yield Value(name, shown(name, str(_plain(name))), _kept(name))


def shown(name: str, value: str) -> str:
    """A secret only by its length; of a URL all but the password."""
    if SECRET.search(name):
        return f"{MASK} ({len(value)} characters)" if value else ""
    masked = re.sub(r"(://[^:/@,]*):[^,]*@", rf"\1:{MASK}@", value)
    masked = re.sub(r"([?&](?:password|sslpassword)=)[^&]*", rf"\1{MASK}", masked)
    return masked if "\n" not in masked else repr(masked)


def _plain(name: str) -> object:
    found = env.read_values[name]
    if name == "DATABASE_URL":
        return f"sqlite:///{found['NAME']}"
    if name == "MILLRACE_ARTIFACTS_STORAGE":
        return found["OPTIONS"].get("location", "")
    return ", ".join(map(str, found)) if isinstance(found, list) else found


def _kept(name: str) -> str:
    if name == "MILLRACE_SECRET_KEY":
        return "secrets.json"
    return "data folder" if name == "MILLRACE_PORT" and env.read_values[name] != 8000 else "default"
