"""PUBLIC. An artifact on its way: chunks of raw bytes, each a message of its own, and what is said of each beside it.

It travels as ASCII JSON in one header, of the message (worker -> RabbitMQ -> sink) and of the request (sink -> web).
"""

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from workers.fields import BIGGEST_ID, BadMessage, decode_json, number_of, text_of

VERSION = 1
CHUNK_BYTES = 262_144
MOST_ARTIFACTS = 100  # of one attempt
MOST_TOGETHER = 10  # times the largest, of one attempt
NAME_LENGTH = 200
SHOWN_BYTES = 5_242_880  # what is larger is for downloading alone
CHUNK_HEADER = "x-chunk"
LARGEST = "MILLRACE_ARTIFACT_BYTES"
DEFAULT_LARGEST = 104_857_600
OCTETS = "application/octet-stream"
_MOST_CHUNKS = 1_000_000
_UNITS = {"KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}
_CONTENT_TYPE = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,60}/[a-z0-9][a-z0-9!#$&^_.+-]{0,60}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """What its maker says of an artifact. `shown`: it is what the handler returned, to be seen on the task's page."""

    name: str
    content_type: str = OCTETS
    shown: bool = False

    def encode(self) -> bytes:
        return json.dumps(asdict(self)).encode()

    @classmethod
    def decode(cls, data: bytes) -> "Label":
        """Raises BadMessage."""
        try:
            return cls.of(decode_json(data.decode()))
        except (ValueError, RecursionError):
            raise BadMessage("not the label of an artifact") from None

    @classmethod
    def of(cls, data: object) -> "Label":
        """Raises BadMessage."""
        if not isinstance(data, dict):
            raise BadMessage("not an object")
        name, content_type = text_of(data, "name"), text_of(data, "content_type")
        if wrong := wrong_name(name):
            raise BadMessage(wrong)
        if not is_content_type(content_type):
            raise BadMessage("'content_type' must be one such as text/csv")
        return cls(name=name, content_type=content_type, shown=data.get("shown") is True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """Which part of which artifact. `run`: told apart from another run of the same attempt, and minted by the worker.

    `ordinal` counts the artifacts of a run, `index` the chunks of an artifact, from 0. The last chunk knows of the
    whole: `size` in bytes, and its `sha256` in hex.
    """

    task: int
    attempt: int
    worker: str
    run: str
    ordinal: int
    index: int
    label: Label
    size: int | None = None
    sha256: str = ""

    @property
    def is_last(self) -> bool:
        return self.size is not None

    def encode(self) -> str:
        place = {name: getattr(self, name) for name in ("task", "attempt", "worker", "run", "ordinal", "index")}
        whole = {"size": self.size, "sha256": self.sha256} if self.is_last else {}
        return json.dumps({"v": VERSION, **place, "label": asdict(self.label), **whole})

    @classmethod
    def decode(cls, text: object) -> "Chunk":
        """Raises BadMessage."""
        try:
            data = decode_json(text if isinstance(text, str) else "")
        except (ValueError, RecursionError):
            raise BadMessage(f"its header {CHUNK_HEADER} is not JSON") from None
        if not isinstance(data, dict) or data.get("v") != VERSION:
            raise BadMessage(f"its header {CHUNK_HEADER} is not of version {VERSION}")
        return cls(
            task=number_of(data, "task"),
            attempt=number_of(data, "attempt"),
            worker=_short(data, "worker", 200),
            run=_short(data, "run", 32),
            ordinal=_count(data, "ordinal", MOST_ARTIFACTS - 1),
            index=_count(data, "index", _MOST_CHUNKS),
            label=Label.of(data.get("label")),
            **_whole(data),
        )


def largest(environment: Mapping[str, str]) -> int:
    """Bytes that one artifact may have. Raises ValueError with a sentence."""
    text = environment.get(LARGEST)
    if not text:
        return DEFAULT_LARGEST
    found = re.fullmatch(r"([0-9]{1,6})(KiB|MiB|GiB)", text)
    size = int(found[1]) * _UNITS[found[2]] if found else 0
    if not 1 << 10 <= size <= 100 << 30:
        raise ValueError(f"{LARGEST} must be a size from 1KiB to 100GiB, such as 100MiB (got {text!r:.60})")
    return size


def figures_text(count: int) -> str:
    """What stands for a value that cannot be stored, where figures are shown."""
    return f"{count} figure{'' if count == 1 else 's'}"


def wrong_name(name: str) -> str:
    """What is wrong with the name of an artifact, as a sentence; "" when it can be used."""
    if not name.strip() or name in (".", ".."):
        return "an artifact needs a name, such as fit.png"
    if len(name) > NAME_LENGTH:
        return f"the name of an artifact has at most {NAME_LENGTH} characters (this one has {len(name):,})"
    if "/" in name or "\\" in name:
        return f"the name of an artifact is no path: it has no / and no \\ (got {name!r:.100})"
    if not name.isprintable():
        return f"the name of an artifact holds nothing invisible, such as a line feed (got {name!a:.100})"
    return ""


def is_content_type(text: str) -> bool:
    return bool(_CONTENT_TYPE.fullmatch(text))


def _short(data: dict[str, Any], name: str, most: int) -> str:
    text = text_of(data, name)
    if not text or len(text) > most:
        raise BadMessage(f"'{name}' must have from 1 to {most} characters")
    return text


def _count(data: dict[str, Any], name: str, most: int) -> int:
    value = data.get(name)
    if type(value) is not int or not 0 <= value <= most:
        raise BadMessage(f"'{name}' must be a whole number from 0 to {most}")
    return value


def _whole(data: dict[str, Any]) -> dict[str, Any]:
    if data.get("size") is None:
        return {}
    sha256 = text_of(data, "sha256")
    if not re.fullmatch("[0-9a-f]{64}", sha256):
        raise BadMessage("'sha256' must be 64 hexadecimal digits")
    return {"size": _count(data, "size", BIGGEST_ID), "sha256": sha256}
