"""A task's parameters, checked against the JSON Schema that the worker announced for the kind."""

import json
from collections.abc import Callable
from datetime import datetime
from itertools import islice
from math import isfinite
from typing import Any, NamedTuple

from referencing import Registry

from apps.tasks import kind_schemas, mistakes, strict_json
from apps.tasks.kind_schemas import Unusable
from apps.tasks.models import Kind
from apps.tasks.plain_fits import certainly
from workers.messages import BIGGEST_ID

Check = tuple[Any, Callable[[dict[str, Any]], bool]]  # the checker, and what certainly fits

MOST_FAULTS = 50  # told of one task: a list may hold thousands
FEW, SHORT = 20, 500  # parameters, and characters of each: less than MAX_BYTES whatever they are


class Fault(NamedTuple):
    """What is wrong at `path` inside the parameters; the empty path means the whole."""

    path: tuple[str, ...]
    message: str
    code: str = "INVALID"


def faults(params: Any, kind: Kind | None) -> list[Fault]:
    """What is wrong; without a kind only what is wrong for every kind."""
    if not isinstance(params, dict):
        return [Fault((), 'The parameters must be a JSON object, such as {"x": 1}.')]
    if _is_small(params):
        return _misfits(params, kind) if kind else []
    try:
        strict_json.check(params)
    except strict_json.BadJson as error:
        return [Fault((), str(error))]
    size = len(json.dumps(params))
    if size > strict_json.MAX_BYTES:
        limit = f"{strict_json.MAX_BYTES:,} bytes"
        return [Fault((), f"The parameters may have at most {limit} (they have {size:,}).", "TOO_LARGE")]
    return _misfits(params, kind) if kind else []


def form_schema(kind: Kind | None) -> dict[str, Any]:
    """The schema of an object to make a form of; {} when the kind's cannot be used, which `faults` tells."""
    try:
        return kind_schemas.plain(_checker(kind)[0].schema, kind.schema)[0] if kind else {}
    except Unusable:
        return {}


def _is_small(params: dict[str, Any]) -> bool:
    """Certainly strict and not too large: most are a few plain values, and those of a thousand tasks come at once."""
    if len(params) > FEW:
        return False
    for name, value in params.items():
        sort = type(value)
        if sort is int:
            is_plain = -BIGGEST_ID <= value <= BIGGEST_ID
        elif sort is float:
            is_plain = isfinite(value)
        else:
            is_plain = value is None or sort is bool or (sort is str and _is_short(value))
        if not (is_plain and _is_short(name)):
            return False
    return True


def _is_short(text: str) -> bool:
    return len(text) <= SHORT and text.isascii() and text.isprintable()


def _misfits(params: dict[str, Any], kind: Kind) -> list[Fault]:
    try:
        checker, certainly_fits = _checker(kind)
        if certainly_fits(params):
            return []
        errors = list(islice(mistakes.of(params, checker), MOST_FAULTS + 1))
    except Unusable as reason:
        # It was stored by an older version, or by nothing that looked at it.
        message = f"The schema of {kind.name} cannot be used until a worker announces another. {reason}"
        return [Fault((), message)]
    except (mistakes.TooMuch, RecursionError):
        return [Fault((), f"The parameters are too much to be checked against {kind.name}: nest them less deeply.")]
    found = [Fault(tuple(map(str, error.absolute_path)), error.message) for error in errors[:MOST_FAULTS]]
    return found if len(errors) <= MOST_FAULTS else [*found, Fault((), f"These are the first {MOST_FAULTS} mistakes.")]


_checkers: dict[str, tuple[datetime, Check | Unusable]] = {}


def _checker(kind: Kind) -> Check:
    """Made once per announcement: a thousand tasks of a kind are checked by one. Raises Unusable."""
    announced_at, check = _checkers.get(kind.name, (None, None))
    if check is None or announced_at != kind.announced_at:
        check = _made(kind.schema)
        _checkers[kind.name] = kind.announced_at, check
    if isinstance(check, Unusable):
        raise check
    return check


def _made(schema: Any) -> Check | Unusable:
    try:
        kind_schemas.check(schema)
    except Unusable as reason:
        return reason
    # An empty registry: jsonschema's own fetches what a pointer names.
    return mistakes.Checker(schema, registry=Registry()), certainly(schema)
