"""Strict typed readers of the environment: a wrong value stops the start and says what is accepted."""

import importlib.util
import json
import os
import re
import sys
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import unquote, urlsplit

import dj_database_url

from devstack import credentials
from devstack.screen import Stop
from workers.address import BadAddress, parse_addresses

Network = IPv4Network | IPv6Network
LOOPBACK = ("localhost", "127.0.0.1", "[::1]")
HOST = re.compile(r"\.?[a-z0-9]([a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:.]+\]", re.IGNORECASE)
TRUE, FALSE = ("1", "true", "yes", "on"), ("0", "false", "no", "off")


def text(name: str, default: str = "") -> str:
    return os.environ.get(name) or default


def flag(name: str, *, default: bool) -> bool:
    value = os.environ.get(name, "").lower()
    if not value:
        return default
    if value not in TRUE + FALSE:
        _refuse(name, "1, true, yes, on, 0, false, no or off")
    return value in TRUE


def whole_number(name: str, default: int, low: int, high: int) -> int:
    value = os.environ.get(name, "")
    if not value:
        return default
    if not (value.isascii() and value.isdigit() and low <= int(value) <= high):
        _refuse(name, f"a whole number from {low} to {high}")
    return int(value)


def folder(name: str, default: Path) -> Path:
    return Path(os.environ.get(name) or default).expanduser().absolute()


def hosts(name: str) -> list[str]:
    """Host names beside this machine's own, by which sink, workers and bin/dev reach the web; never all of them."""
    given = [word.strip() for word in text(name).split(",") if word.strip()]
    if not all(map(HOST.fullmatch, given)):
        _refuse(name, "host names without scheme and port, separated by commas (.example.com: with all below it)")
    return [*LOOPBACK, *given]


def public_url(name: str) -> str:
    """Scheme and host as browsers reach them, without a path; empty when it is not said."""
    url = text(name).rstrip("/")
    try:
        parts = urlsplit(url)
        is_one = parts.scheme in ("http", "https") and HOST.fullmatch(parts.netloc.removesuffix(f":{parts.port}"))
    except ValueError:
        is_one = None
    if url and (not is_one or url != f"{parts.scheme}://{parts.netloc}"):
        _refuse(name, "the address that browsers see, such as https://millrace.example.com, without a path")
    return url


def host_of(url: str) -> list[str]:
    """As ALLOWED_HOSTS has it: without the port."""
    host = urlsplit(url).hostname
    return [f"[{host}]" if ":" in host else host] if host else []


def networks(name: str) -> tuple[Network, ...]:
    words = [word.strip() for word in text(name).split(",") if word.strip()]
    try:
        return tuple(map(ip_network, words))
    except ValueError:
        _refuse(name, "addresses or networks, such as 10.0.0.5 or 10.0.0.0/24, separated by commas")


def secret_key(name: str, otherwise: str) -> str:
    value = text(name, otherwise)
    if value and len(value) < 50:
        _refuse(name, "at least 50 characters that nobody can guess", shown=f"{len(value)} characters")
    return value


def database(name: str, default_sqlite: Path) -> dict[str, Any]:
    """Django's database settings from a URL: `sqlite:///folder/file` or `postgres://user:password@host:port/name`."""
    url = os.environ.get(name, "")
    if not url:
        return {"ENGINE": "django.db.backends.sqlite3", "NAME": default_sqlite}
    accepted = "sqlite:///path/to/file or postgres://user:password@host:port/name"
    try:
        scheme = urlsplit(url).scheme
        parsed = dj_database_url.parse(url)
    except ValueError:
        _refuse(name, accepted, shown="a malformed URL")
    if scheme not in ("sqlite", "postgres", "postgresql") or parsed["NAME"] in ("", ":memory:"):
        _refuse(name, accepted, shown=f"{scheme}://...")
    return {**parsed, "PASSWORD": unquote(parsed.get("PASSWORD", ""))} if parsed.get("PASSWORD") else dict(parsed)


def storage(name: str, options_name: str, default: Path) -> dict[str, Any]:
    """An entry of Django's STORAGES: a folder, or a class by its path in Python with a JSON object of its arguments."""
    given = text(name)
    if not given or "/" in given:
        return {"BACKEND": "config.folder.Folder", "OPTIONS": {"location": folder(name, default)}}
    if not _is_importable(given.rpartition(".")[0]):
        _refuse(name, "a folder, such as /srv/artifacts, or a storage's class by its path in Python, installed here")
    return {"BACKEND": given, "OPTIONS": _json_object(options_name)}


def _is_importable(module: str) -> bool:
    """Without importing it: it may want the settings that are being read."""
    try:
        return importlib.util.find_spec(module) is not None
    except (ImportError, ValueError):
        return False


def _json_object(name: str) -> dict[str, Any]:
    try:
        found = json.loads(text(name, "{}"))
    except ValueError:
        found = None
    if not isinstance(found, dict):
        _refuse(name, 'a JSON object such as {"bucket_name": "artifacts"}', shown="something else")
    return found


def brokers(name: str) -> str:
    """One or several RabbitMQ URLs, as the relay will read them; may be missing."""
    urls = text(name)
    try:
        if urls:
            parse_addresses(urls)
    except BadAddress as error:
        _stop(str(error))
    return urls


def secrets(var: Path) -> dict[str, Any]:
    """What the first start wrote to `secrets.json`; empty before it."""
    try:
        return credentials.read(var)
    except Stop as stop:
        _stop(str(stop))


def _refuse(name: str, accepted: str, shown: str | None = None) -> NoReturn:
    got = shown or repr(os.environ.get(name, ""))
    _stop(f"{name} must be {accepted} (got {got:.80})")


def _stop(sentence: str) -> NoReturn:
    sys.stderr.write(f"error: {sentence}\n")
    raise SystemExit(2)
