"""What tasks can be ordered by: the word in an address, the same word for the table's heads and for GraphQL."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from apps.api.keyset import Order, moment, number
from apps.tasks.priority import is_priority
from workers.messages import storable


def _priority(value: str) -> int:
    found = int(value)
    if not is_priority(found):
        raise ValueError(value)
    return found


def _text(value: str) -> str:
    if not storable(value):
        raise ValueError(value)
    return value


ORDERS: Final = {
    "created": Order(column="pk"),
    "name": Order(column="name", read=_text),
    "kind": Order(column="kind", read=_text),
    "status": Order(column="status", read=_text),
    "started": Order(column="started_at", read=moment, nullable=True),
    "finished": Order(column="finished_at", read=moment, nullable=True),
    "ran": Order(column="run_seconds", read=number, nullable=True),
    "value": Order(column="value", read=number, nullable=True),
    "priority": Order(column="priority", read=_priority),
    "queue": Order(column="queue", read=_text),
    "worker": Order(column="worker", read=_text),
}
NEWEST_FIRST: Final = ORDERS["created"]
# The others cost every create and every outcome more than they are worth: they have the newest tasks only.
INDEXED: Final = frozenset({"pk", "kind", "status", "finished_at", "run_seconds", "value"})


def order(text: str) -> Order | None:
    """From "name" or "-name"; None for a word that is none of them."""
    word = text.removeprefix("-")
    return replace(ORDERS[word], descending=text.startswith("-")) if word in ORDERS else None


def word(wanted: Order) -> str:
    """What `order` makes it from."""
    name = next(name for name, each in ORDERS.items() if each.column == wanted.column)
    return f"-{name}" if wanted.descending else name
