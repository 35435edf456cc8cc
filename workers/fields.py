"""The fields of a message, each checked as it is read: what passes can be stored, sent on and shown."""

import json
import re
from json.encoder import (  # type: ignore[attr-defined]
    c_make_encoder,
    encode_basestring_ascii,
)
from typing import Any, NoReturn

BIGGEST_ID = 2**63 - 1
MAX_RESULT_BYTES = 262_144
MAX_RESULT_DEPTH = 100


class BadMessage(ValueError):
    """A body that is not of this format; the text says what is wrong with it."""


QUEUE_NAME_RULE = "1 to 100 letters, digits, '.', '-' and '_'"


def is_queue_name(name: str) -> bool:
    """Whether a queue may be called so: it is part of a name in RabbitMQ and of addresses."""
    return re.fullmatch(r"[A-Za-z0-9._-]{1,100}", name) is not None


def storable(text: str) -> bool:
    """Whether both databases can keep the text: PostgreSQL refuses NUL, UTF-8 has no lone surrogates."""
    return _UNSTORABLE.search(text) is None


_UNSTORABLE = re.compile("[\0\ud800-\udfff]")


def nested_deeper(value: Any, levels: int) -> bool:
    """Whether lists and objects stand in each other more than `levels` times."""
    members = value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else ()
    inner = (each for each in members if isinstance(each, dict | list | tuple))
    return levels < 0 or any(nested_deeper(each, levels - 1) for each in inner)


def number_of(data: dict[str, Any], name: str) -> int:
    value = data.get(name)
    if type(value) is not int or not 1 <= value <= BIGGEST_ID:
        raise BadMessage(f"'{name}' must be a whole number from 1")
    return value


def text_of(data: dict[str, Any], name: str) -> str:
    value = data.get(name)
    if not isinstance(value, str) or not value:
        raise BadMessage(f"'{name}' must be a text")
    if not storable(value):
        raise BadMessage(f"'{name}' holds a NUL or a lone surrogate")
    return value


def object_of(data: dict[str, Any], name: str) -> dict[str, Any]:
    value = data.get(name)
    if not isinstance(value, dict):
        raise BadMessage(f"'{name}' must be an object")
    return value


def list_of(data: dict[str, Any], name: str, kind: type) -> list[Any]:
    value = data.get(name)
    if not isinstance(value, list) or not all(isinstance(item, kind) for item in value):
        raise BadMessage(f"'{name}' must be a list of {kind.__name__}")
    return value


def seconds_of(data: dict[str, Any], name: str, below: float = 1e11) -> float:
    value = data.get(name)
    if (type(value) is not float and type(value) is not int) or not 0 <= value < below:
        raise BadMessage(f"'{name}' must be a number of seconds")
    return float(value)


def pairs_of(data: dict[str, Any], name: str) -> list[tuple[int, int]]:
    """Of whole numbers from 1, such as [[task, attempt], ...]."""
    for pair in list_of(data, name, list):
        if len(pair) != 2 or not all(type(each) is int and 1 <= each <= BIGGEST_ID for each in pair):
            raise BadMessage(f"'{name}' must be a list of pairs of whole numbers from 1")
    return [(first, second) for first, second in data[name]]


def value_of(data: dict[str, Any]) -> str | None:
    value = data.get("value")
    if value is None:
        return None
    if (
        not isinstance(value, str)
        or not _NUMBER.fullmatch(value)
        or (float(value) in _INFINITIES and "inf" not in value)
    ):
        raise BadMessage("'value' must be a number as text")
    return value


_NUMBER = re.compile(r"nan|-?inf|-?[0-9]{1,400}(\.[0-9]{1,400})?(e[+-]?[0-9]{1,3})?")
_WHOLE = re.compile(r"-?(0|[1-9][0-9]{0,400})")
_INFINITIES = (float("inf"), float("-inf"))


def result_of(data: dict[str, Any]) -> str:
    """JSON text that whoever shows it can parse, and whose texts are Unicode."""
    result = data.get("result")
    if isinstance(result, str) and _WHOLE.fullmatch(result):
        return result
    result = text_of(data, "result")
    if len(result) > MAX_RESULT_BYTES:
        raise BadMessage(f"'result' is longer than {MAX_RESULT_BYTES} bytes")
    try:
        parsed = decode_json(result)
    except (ValueError, RecursionError):
        raise BadMessage("'result' must be JSON") from None
    if nested_deeper(parsed, MAX_RESULT_DEPTH):
        raise BadMessage(f"'result' is nested deeper than {MAX_RESULT_DEPTH} levels")
    if "\\u" in result and not storable(json.dumps(parsed, ensure_ascii=False)):
        raise BadMessage("'result' holds a lone surrogate")
    return result


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def dump(data: dict[str, Any]) -> bytes:
    return dump_text(data).encode()


def decode_json(text: str) -> Any:
    """Raises ValueError, RecursionError."""
    try:
        value, end = _decoder.raw_decode(text)
    except ValueError:
        value, end = None, -1  # there may be blanks before it
    return value if end == len(text) else _decoder.decode(text)


def dump_text(value: Any) -> str:
    """Raises ValueError, TypeError, RecursionError."""
    return "".join(_pieces(value, 0))


# json.loads and json.dumps would make them anew for every message; JSONEncoder.encode what it encodes with as well.
_decoder = json.JSONDecoder(parse_constant=_no_constant)
_pieces = c_make_encoder(
    None, json.JSONEncoder().default, encode_basestring_ascii, None, ":", ",", False, False, False
)  # no indent; neither sorted, nor keys skipped, nor NaN
