"""PUBLIC. What command line and environment tell a process; a wrong value stops it with one line, exit 2."""

import argparse
import difflib
import os
import re
import sys
from collections.abc import Callable, Sequence
from typing import Any, NoReturn
from urllib.parse import urlsplit

from workers.address import Address, BadAddress, is_here, parse_addresses
from workers.fields import QUEUE_NAME_RULE, is_queue_name

EXIT_WRONG_OPTION = 2
TRUE, FALSE = ("1", "true", "yes", "on"), ("0", "false", "no", "off")
DEFAULT_PORT = 8000
HIDE = "use {}:// (or set MILLRACE_ALLOW_PLAINTEXT=1)"


class Parser(argparse.ArgumentParser):
    """Says what is wrong in one line that begins with `error:`. An option is given by its whole name."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings, allow_abbrev=False)

    def error(self, message: str) -> NoReturn:
        refuse_arguments(self, message)


def refuse_arguments(parser: argparse.ArgumentParser, message: str) -> NoReturn:
    """`message` is argparse's; an unknown option is answered with the one that may be meant."""
    unknown = message.removeprefix("unrecognized arguments: ")
    if unknown == message:
        refuse(message)
    name = unknown.partition(" ")[0].partition("=")[0]
    word, known = name.lstrip("-"), re.findall(r"--([\w-]+)", parser.format_help())
    near = [other for other in known if word and other.startswith(word)] or difflib.get_close_matches(word, known)
    hint = f"; did you mean --{near[0]}?" if near else ""
    refuse(f"unknown {'option' if name.startswith('-') else 'argument'} {name:.40}{hint}")


def refuse(message: str) -> NoReturn:
    sys.stderr.write(f"error: {message}\n")
    sys.exit(EXIT_WRONG_OPTION)


def whole_number(name: str, low: int, high: int) -> Callable[[str], int]:
    """A reader for texts such as "12"."""

    def read(text: str) -> int:
        if not (text.isascii() and text.isdigit() and len(text) < 20 and low <= int(text) <= high):
            refuse(f"{name} must be a whole number from {low} to {high} (got {text!r:.60})")
        return int(text)

    return read


def size(name: str, low: int, high: int) -> Callable[[str], int]:
    """A reader for texts such as "512MiB" and "2GiB", in bytes."""

    def read(text: str) -> int:
        found = re.fullmatch(r"([0-9]{1,9})(MiB|GiB)", text)
        value = int(found[1]) * _UNITS[found[2]] if found else -1
        if not low <= value <= high:
            refuse(
                f"{name} must be a size from {_shown(low)} to {_shown(high)}, such as 512MiB or 2GiB (got {text!r:.60})"
            )
        return value

    return read


def seconds(name: str, low: float, high: float) -> Callable[[str], float]:
    """A reader for texts such as "3.5"."""

    def read(text: str) -> float:
        try:
            value = float(text) if text.isascii() else low - 1
        except ValueError:
            value = low - 1
        if not low <= value <= high:
            refuse(f"{name} must be a number of seconds from {low:g} to {high:g} (got {text!r:.60})")
        return value

    return read


def words(name: str) -> Callable[[str], list[str]]:
    """A reader for texts such as "default,nightly"."""

    def read(text: str) -> list[str]:
        found = [word.strip() for word in text.split(",") if word.strip()]
        if not found:
            refuse(f"{name} must be one or several names, separated by commas (got {text!r:.60})")
        return list(dict.fromkeys(found))

    return read


def flag(name: str) -> Callable[[str], bool]:
    """A reader for texts such as "1" and "off"."""

    def read(text: str) -> bool:
        if text.lower() not in TRUE + FALSE:
            refuse(f"{name} must be {', '.join((TRUE + FALSE)[:-1])} or {FALSE[-1]} (got {text!r:.60})")
        return text.lower() in TRUE

    return read


def queue_names(name: str) -> Callable[[str], list[str]]:
    """A reader for the same, whose names may be those of queues."""

    def read(text: str) -> list[str]:
        found = words(name)(text)
        for each in found:
            if not is_queue_name(each):
                refuse(f"{name} must be names of queues, each of {QUEUE_NAME_RULE} (got {each!r:.60})")
        return found

    return read


def broker_addresses() -> Sequence[Address]:
    """From RABBITMQ_URL."""
    try:
        addresses = parse_addresses(os.environ.get("RABBITMQ_URL", ""))
    except BadAddress as error:
        refuse(str(error))
    for address in addresses:
        if _must_be_hidden() and not (address.parameters.ssl_options or is_here(address.parameters.host)):
            refuse(f"passwords and tasks would travel readable to RabbitMQ at {address.shown}: {HIDE.format('amqps')}")
    return addresses


def web_url() -> str:
    """From MILLRACE_URL, else this machine's MILLRACE_PORT; without a slash at the end."""
    port = whole_number("MILLRACE_PORT", 1, 65535)(os.environ.get("MILLRACE_PORT") or str(DEFAULT_PORT))
    url = os.environ.get("MILLRACE_URL") or f"http://127.0.0.1:{port}"
    try:
        split = urlsplit(url)
        usable = split.scheme in ("http", "https") and split.hostname and (split.port or True)
    except ValueError:
        usable = False
    if not usable:
        refuse(f"MILLRACE_URL must be a URL such as http://127.0.0.1:8000 (got {url!r:.100})")
    if _must_be_hidden() and split.scheme == "http" and not is_here(split.hostname or ""):
        refuse(f"the token would travel readable to {split.hostname}: {HIDE.format('https')}")
    return url.rstrip("/")


def token(whose: str) -> str:
    """From MILLRACE_TOKEN."""
    value = os.environ.get("MILLRACE_TOKEN", "")
    if not value or not value.isascii() or not value.isprintable() or " " in value:
        refuse(f"MILLRACE_TOKEN must be the {whose}'s API token ({'malformed' if value else 'it is not set'})")
    return value


def _must_be_hidden() -> bool:
    """What passes over a network, unless this is development: a mistyped word does not open anything."""
    allowed = os.environ.get("MILLRACE_ALLOW_PLAINTEXT", "").lower() in TRUE
    return os.environ.get("MILLRACE_ENV", "") not in ("", "development") and not allowed


_UNITS = {"MiB": 1 << 20, "GiB": 1 << 30}


def _shown(size_bytes: int) -> str:
    unit = "GiB" if size_bytes % _UNITS["GiB"] == 0 else "MiB"
    return f"{size_bytes // _UNITS[unit]:,}{unit}".replace(",", "")
