"""A task's parameters, checked against the JSON Schema that the worker announced for the kind."""

import json
from datetime import datetime
from itertools import islice
from typing import Any, NamedTuple

from referencing import Registry

from apps.tasks import kind_schemas, mistakes, strict_json
from apps.tasks.kind_schemas import Unusable
from apps.tasks.models import Kind

MOST_FAULTS = 50  # told of one task: a list may hold thousands


class Fault(NamedTuple):
    """What is wrong at `path` inside the parameters; the empty path means the whole."""

    path: tuple[str, ...]
    message: str
    code: str = "INVALID"


def faults(params: Any, kind: Kind | None) -> list[Fault]:
    """What is wrong; without a kind only what is wrong for every kind."""
    if not isinstance(params, dict):
        return [Fault((), 'The parameters must be a JSON object, such as {"x": 1}.')]
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
        return kind_schemas.plain(_checker(kind).schema, kind.schema)[0] if kind else {}
    except Unusable:
        return {}


def _misfits(params: dict[str, Any], kind: Kind) -> list[Fault]:
    try:
        errors = list(islice(mistakes.of(params, _checker(kind)), MOST_FAULTS + 1))
    except Unusable as reason:
        # It was stored by an older version, or by nothing that looked at it.
        message = f"The schema of {kind.name} cannot be used until a worker announces another. {reason}"
        return [Fault((), message)]
    except (mistakes.TooMuch, RecursionError):
        return [Fault((), f"The parameters are too much to be checked against {kind.name}: nest them less deeply.")]
    found = [Fault(tuple(map(str, error.absolute_path)), error.message) for error in errors[:MOST_FAULTS]]
    return found if len(errors) <= MOST_FAULTS else [*found, Fault((), f"These are the first {MOST_FAULTS} mistakes.")]


_checkers: dict[str, tuple[datetime, Any]] = {}


def _checker(kind: Kind) -> Any:
    """Made once per announcement: a thousand tasks of a kind are checked by one. Raises Unusable."""
    announced_at, checker = _checkers.get(kind.name, (None, None))
    if checker is None or announced_at != kind.announced_at:
        checker = _made(kind.schema)
        _checkers[kind.name] = kind.announced_at, checker
    if isinstance(checker, Unusable):
        raise checker
    return checker


def _made(schema: Any) -> Any:
    try:
        kind_schemas.check(schema)
    except Unusable as reason:
        return reason
    # An empty registry: jsonschema's own fetches what a pointer names.
    return mistakes.Checker(schema, registry=Registry())
