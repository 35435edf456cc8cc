"""RABBITMQ_URL: one or several broker addresses, their passwords never shown."""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import pika

ACCEPTED = "amqp://user:password@host:5672/vhost (amqps:// for TLS; several hosts: URLs separated by commas)"


class BadAddress(ValueError):
    """A broker URL that cannot be used; the text says which and what is accepted, without the password."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where one broker node listens."""

    shown: str
    parameters: Any  # pika.URLParameters


def parse_addresses(urls: str) -> Sequence[Address]:
    """The addresses in the order given. Raises BadAddress."""
    parts = [part.strip() for part in urls.split(",") if part.strip()]
    if not parts:
        raise BadAddress(f"RABBITMQ_URL must be {ACCEPTED} (it is not set)")
    return [_parse(part) for part in parts]


def is_here(host: str) -> bool:
    """Whether what is sent there stays on this machine: loopback, or a socket's folder."""
    if host in ("", "localhost") or host.startswith("/"):
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _parse(url: str) -> Address:
    try:
        split = urlsplit(url)
        port = split.port
    except ValueError:
        raise _bad("malformed") from None
    if split.scheme not in ("amqp", "amqps"):
        raise _bad(f"it begins with '{split.scheme}://'" if split.scheme and "://" in url else "it has no amqp://")
    if not split.hostname:
        raise _bad("it has no host")
    try:
        parameters = pika.URLParameters(url)
    except Exception:  # noqa: BLE001  pika raises whatever its own parsing meets
        raise _bad("malformed") from None
    # A dead peer is noticed within 50 s; the retry loop is broker.py's own, with jitter. A blocked connection is kept:
    # the broker still sends its heartbeats, and another one would be blocked as well.
    parameters.heartbeat = 20
    parameters.blocked_connection_timeout = None
    parameters.socket_timeout = 5
    parameters.stack_timeout = 10
    parameters.connection_attempts = 1
    host = f"[{split.hostname}]" if ":" in split.hostname else split.hostname
    return Address(f"{host}:{port or parameters.port}", parameters)


def _bad(what: str) -> BadAddress:
    return BadAddress(f"RABBITMQ_URL must be {ACCEPTED} ({what})")
