"""The columns of the table that a person can choose from; the name and the status always stand there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """`order`: the word by which the table can be ordered by it. `fields`: what of a task its cells show."""

    label: str
    order: str = ""
    fields: tuple[str, ...] = ()
    always: bool = False


COLUMNS: Final = {
    "id": Column(label="ID", order="created"),
    "name": Column(label="Name", order="name", always=True),
    "kind": Column(label="Kind", order="kind"),
    "input": Column(label="Input"),
    "queue": Column(label="Queue", order="queue", fields=("queue",)),
    "priority": Column(label="Priority", order="priority", fields=("priority",)),
    "by": Column(label="Created by"),
    "value": Column(label="Value", order="value"),
    "worker": Column(label="Worker", order="worker"),
    "ran": Column(label="Run time", order="ran", fields=("run_seconds",)),
    "status": Column(label="Status", order="status", always=True),
    "started": Column(label="Started", order="started"),
    "finished": Column(label="Finished", order="finished", fields=("finished_at",)),
    "created": Column(label="Created at", order="created"),
}
DEFAULT: Final = ("id", "name", "kind", "value", "status", "created")


def known(names: Iterable[str]) -> tuple[str, ...]:
    """Those of these that there are, in the table's order, and those that are always there; DEFAULT when none is."""
    wanted = set(names) & set(COLUMNS)
    return tuple(name for name, column in COLUMNS.items() if name in wanted or column.always) if wanted else DEFAULT
