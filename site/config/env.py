"""Strict typed readers of the environment: a wrong value stops the start and says what is accepted.

Between `collect` and `settle` wrong values are gathered, so that all of them are told at once.
"""

import importlib.util
import json
import os
import re
import sys
from collections.abc import Callable, Collection, Mapping
from functools import wraps
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Any, NoReturn, ParamSpec, TypeVar
from urllib.parse import unquote, urlsplit

import dj_database_url

from devstack import credentials
from devstack.screen import Stop
from workers.address import BadAddress, parse_addresses
from workers.options import FALSE, TRUE

Network = IPv4Network | IPv6Network
LOOPBACK = ("localhost", "127.0.0.1", "[::1]")
HOST = re.compile(r"\.?[a-z0-9]([a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:.]+\]", re.IGNORECASE)
DJANGOS_OPTIONS = {"assume_role", "isolation_level", "pool", "server_side_binding"}  # beside psycopg's
CHECK_ID = re.compile(r"[a-z_]+\.[EW][0-9]{3}")

P = ParamSpec("P")
T = TypeVar("T")


class Wrong(Exception):
    """A value that cannot be used, as a sentence that shows no secret."""

    def __init__(self, name: str, sentence: str) -> None:
        super().__init__(sentence)
        self.name = name


class _State:
    collects = False
    tolerates = False


wrong: dict[str, str] = {}  # the sentence by the name of what is wrong
read_values: dict[str, Any] = {}  # what was read, by name


def tolerate() -> None:
    """For the commands that tell what is wrong: settings are read with what stands for it where it was not given."""
    _State.tolerates = True


def collect() -> None:
    _State.collects = True


def complain(name: str, sentence: str) -> None:
    """Of what no reader alone can see. The first complaint of a name counts."""
    wrong.setdefault(name, sentence)


def settle(more: Collection[str] = ()) -> None:
    """Stops when anything was wrong, with a line for each; `more` are such lines from elsewhere."""
    _State.collects = False
    if not _State.tolerates and (sentences := [*wrong.values(), *more]):
        _stop(*sentences)


def _reader(read: Callable[P, T]) -> Callable[P, T]:
    @wraps(read)
    def reading(*args: P.args, **more: P.kwargs) -> T:
        while True:
            try:
                found = read(*args, **more)
            except Wrong as error:
                if not _State.collects:
                    _stop(str(error))
                wrong[error.name] = str(error)  # from now on it counts as not set
            else:
                read_values[str(args[0])] = found
                return found

    return reading


def _given(name: str) -> str:
    return "" if _State.collects and name in wrong else os.environ.get(name, "")


@_reader
def text(name: str, default: str = "") -> str:
    return _given(name) or default


@_reader
def choice(name: str, accepted: Collection[str]) -> str:
    """One of these words; the first when it is not set."""
    default = next(iter(accepted))
    if (value := _given(name) or default) not in accepted:
        _refuse(name, f"one of {', '.join(accepted)}")
    return value


@_reader
def origin(name: str) -> str:
    """Scheme, host and perhaps port, without a slash at the end; empty when it is not set."""
    value = _given(name).rstrip("/")
    try:
        split = urlsplit(value)
        is_bare = split.geturl() == f"{split.scheme}://{split.netloc}" and split.port != 0
        usable = is_bare and split.scheme in ("http", "https") and HOST.fullmatch(bare_host(value)) is not None
        usable = usable and "@" not in split.netloc
    except ValueError:
        usable = False
    if value and not usable:
        _refuse(name, "scheme and host, such as https://millrace.example.org", shown="another URL")
    return value


def bare_host(url: str) -> str:
    """Of a URL, as it stands in ALLOWED_HOSTS."""
    host = urlsplit(url).hostname or ""
    return f"[{host}]" if ":" in host else host


@_reader
def checks(name: str) -> list[str]:
    """Ids of checks."""
    ids = [word.strip() for word in _given(name).split(",") if word.strip()]
    if not all(map(CHECK_ID.fullmatch, ids)):
        _refuse(name, "ids of checks, separated by commas, such as millrace.W018")
    return ids


@_reader
def flag(name: str, *, default: bool) -> bool:
    value = _given(name).lower()
    if not value:
        return default
    if value not in TRUE + FALSE:
        _refuse(name, "1, true, yes, on, 0, false, no or off")
    return value in TRUE


@_reader
def whole_number(name: str, default: int, low: int, high: int) -> int:
    value = _given(name)
    if not value:
        return default
    if not (value.isascii() and value.isdigit() and low <= int(value) <= high):
        _refuse(name, f"a whole number from {low} to {high}")
    return int(value)


@_reader
def folder(name: str, default: Path) -> Path:
    return Path(_given(name) or default).expanduser().absolute()


@_reader
def hosts(name: str) -> list[str]:
    """Host names beside this machine's own, by which sink, workers and bin/dev reach the web; never all of them."""
    given = [word.strip() for word in _given(name).split(",") if word.strip()]
    if not all(map(HOST.fullmatch, given)):
        _refuse(name, "host names without scheme and port, separated by commas (.example.com: with all below it)")
    return [*LOOPBACK, *given]


@_reader
def networks(name: str) -> tuple[Network, ...]:
    words = [word.strip() for word in _given(name).split(",") if word.strip()]
    try:
        return tuple(map(ip_network, words))
    except ValueError:
        _refuse(name, "addresses or networks, such as 10.0.0.5 or 10.0.0.0/24, separated by commas")


@_reader
def secret_key(name: str, otherwise: str) -> str:
    value = _given(name)
    if value and len(value) < 50:
        _refuse(name, "at least 50 characters that nobody can guess", shown=f"{len(value)} characters")
    return value or otherwise


@_reader
def database(name: str, default_sqlite: Path) -> dict[str, Any]:
    """Django's database settings from a URL: `sqlite:///folder/file` or `postgres://user:password@host:port/name`."""
    url = _given(name)
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
    if unknown := _unknown_option(parsed):
        raise Wrong(name, f"{name} has an option that PostgreSQL does not know: {unknown:.40}")
    return {**parsed, "PASSWORD": unquote(parsed.get("PASSWORD", ""))} if parsed.get("PASSWORD") else dict(parsed)


def _unknown_option(parsed: Mapping[str, Any]) -> str:
    """The first of a URL's query that psycopg would stumble over at each connection."""
    if not parsed["ENGINE"].endswith("postgresql"):
        return ""
    from psycopg import ProgrammingError, conninfo  # noqa: PLC0415 SQLite does without

    option: str
    for option in sorted(set(parsed.get("OPTIONS", {})) - DJANGOS_OPTIONS):
        try:
            conninfo.make_conninfo(**{option: ""})
        except ProgrammingError:
            return option
    return ""


@_reader
def storage(name: str, options_name: str, default: Path) -> dict[str, Any]:
    """An entry of Django's STORAGES: a folder, or a class by its path in Python with a JSON object of its arguments."""
    given = _given(name)
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
        found = json.loads(_given(name) or "{}")
    except ValueError:
        found = None
    if not isinstance(found, dict):
        _refuse(name, 'a JSON object such as {"bucket_name": "artifacts"}', shown="something else")
    return found


@_reader
def brokers(name: str) -> str:
    """One or several RabbitMQ URLs, as the relay will read them; may be missing."""
    urls = _given(name)
    try:
        if urls:
            parse_addresses(urls)
    except BadAddress as error:
        raise Wrong(name, str(error)) from None
    return urls


@_reader
def secrets(var: Path) -> dict[str, Any]:
    """What the first start wrote to `secrets.json`; empty before it."""
    try:
        return {} if "secrets.json" in wrong else credentials.read(var)
    except Stop as stop:
        raise Wrong("secrets.json", str(stop)) from None


def _refuse(name: str, accepted: str, shown: str | None = None) -> NoReturn:
    got = shown or repr(os.environ.get(name, ""))
    raise Wrong(name, f"{name} must be {accepted} (got {got:.80})")


def _stop(*sentences: str) -> NoReturn:
    sys.stderr.writelines(f"error: {sentence}\n" for sentence in sentences)
    raise SystemExit(2)
