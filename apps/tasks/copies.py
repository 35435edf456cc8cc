"""What of a page can be taken elsewhere: the view of the table as a query, a task as the one that creates its like."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from apps.tasks import snippets
from apps.tasks.orders import NEWEST_FIRST, word
from apps.tasks.schema_inputs import TaskOrderField
from apps.tasks.snippets import Bare

if TYPE_CHECKING:
    from apps.tasks.models import Kind, Task
    from apps.tasks.snippets import Snippet
    from apps.tasks.window import Window

FIRST: Final = 50
OF_COLUMNS: Final = {
    "id": "number", "name": "name", "kind": "kind { name }", "queue": "queue { name }", "priority": "priority",
    "by": "createdBy { username }", "value": "value error { type message }", "ran": "runSeconds", "status": "status",
    "started": "startedAt", "finished": "finishedAt", "created": "createdAt",
}  # fmt: skip
CREATE: Final = """mutation ($input: CreateTaskInput!) {
  createTask(input: $input) {
    task { number status }
    userErrors { field message }
  }
}"""
TIMES: Final = frozenset({"created", "started", "finished"})


def of_table(window: Window, address: str) -> list[Snippet]:
    """Its first rows in its order, with what its columns show. `address`: of the endpoint."""
    text = "" if window.mistake else window.text
    asked: dict[str, tuple[str, Any]] = {"query": ("String", text)} if text else {}
    if window.order != NEWEST_FIRST:
        asked["orderBy"] = ("TaskOrder", _order(window))
    declared = ", ".join(f"${name}: {type_}" for name, (type_, _) in asked.items())
    passed = ", ".join([f"first: {FIRST}", *(f"{name}: ${name}" for name in asked)])
    fields = " ".join(dict.fromkeys(["number", *(OF_COLUMNS[name] for name in window.columns if name in OF_COLUMNS)]))
    document = "\n".join(
        [
            f"query{f' ({declared})' if declared else ''} {{",
            f"  tasks({passed}) {{",
            f"    nodes {{ {fields} }}",
            "    pageInfo { hasNextPage endCursor }",
            "  }",
            "}",
        ]
    )
    return snippets.of(document, {name: value for name, (_, value) in asked.items()}, address)


def means_days_elsewhere(window: Window) -> bool:
    """Whether its search has times, which GraphQL reads as those of UTC."""
    return any(term.field in TIMES for term in window.query.terms) and str(window.zone) != "UTC"


def of_task(task: Task, kind: Kind | None, address: str) -> list[Snippet]:
    """One that creates its like: with what it has and its kind does not give by itself."""
    options = {
        "queue": task.queue if task.queue != (kind and kind.queue) else None,
        "priority": task.priority or None,
        "timeoutSeconds": task.timeout_seconds if task.timeout_seconds != (kind and kind.timeout_seconds) else None,
        "maxAttempts": task.max_attempts if task.max_attempts != (kind and kind.max_attempts) else None,
    }
    own = {name: value for name, value in options.items() if value is not None}
    wanted = {"name": task.name, "kind": task.kind, "params": task.params, **({"options": own} if own else {})}
    return snippets.of(CREATE, {"input": wanted}, address)


def _order(window: Window) -> dict[str, Any]:
    name = word(window.order).removeprefix("-")
    direction = Bare("DESC" if window.order.descending else "ASC")
    return {"field": Bare(TaskOrderField.get(name).name), "direction": direction}
