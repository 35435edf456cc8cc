"""Values that are of one of several models, `Circle | Square`: which models, and which of them a value is of."""

from __future__ import annotations

import re
from typing import Any

from apps.tasks.kind_schemas import plain

Schema = dict[str, Any]
Models = dict[str, Schema]  # by their titles

MOST = 12
_LABEL = re.compile(r"[^\s.\"]{1,100}")  # it stands in the names of fields
_NULL = {"type": "null"}


def models(schema: Schema, root: Schema) -> Models:
    """{} when it is something else than a union of models that are told apart by their titles."""
    parts = [plain(option, root)[0] for option in _options(schema) if option != _NULL]
    found = {str(part.get("title", "")): part for part in parts if _is_model(part)}
    return found if len(found) == len(parts) and 1 < len(found) <= MOST and all(map(_LABEL.fullmatch, found)) else {}


def is_nullable(part: Any, root: Schema) -> bool:
    schema, nullable = plain(part, root)
    return nullable or _NULL in _options(schema)


def of(value: Any, models: Models) -> str:
    """The title of the first model that such a value can be of, and be shown by its fields; "" for none."""
    return next((title for title, model in models.items() if _can_be(value, model)), "")


def fixed(model: Schema) -> dict[str, Any]:
    """What such an object has in any case, as what tells it from the others."""
    parts = model["properties"].items()
    return {name: part["const"] for name, part in parts if isinstance(part, dict) and "const" in part}


def _options(schema: Schema) -> list[Any]:
    return [*schema.get("anyOf", ()), *schema.get("oneOf", ())]


def _is_model(part: Schema) -> bool:
    properties = part.get("properties")
    return isinstance(properties, dict) and all(name and "." not in name for name in properties)


def _can_be(value: Any, model: Schema) -> bool:
    if not isinstance(value, dict) or not set(model.get("required", ())) <= set(value) <= set(model["properties"]):
        return False
    return all(value.get(name, wanted) == wanted for name, wanted in fixed(model).items())
