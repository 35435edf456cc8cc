"""How PostgreSQL finds the tasks that are marked and recorded: by their numbers, whatever else it might go by."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.db import connection

from apps.relay import schedule
from apps.tasks import recording, services
from apps.tasks.cursors import repeating
from apps.tasks.drafts import Draft
from apps.tasks.lifecycle import Status
from apps.tasks.models import Task
from tests.tasks.events import batch, finished

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.contrib.auth.models import User

    from apps.tasks.models import Kind

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgresql]

ENDED = 10_000  # of a smaller table the planner reads all
FEW = 40


def written(work: Callable[[], object]) -> list[str]:
    """The plans of what it writes to tasks."""
    said: list[tuple[str, Any]] = []

    def note(execute: Callable[..., Any], sql: str, values: Any, many: bool, context: Any) -> Any:
        said.append((sql, values))
        return execute(sql, values, many, context)

    with connection.execute_wrapper(note):
        work()
    plans = []
    for sql, values in said:
        if "UPDATE tasks_task " in sql:
            with repeating() as cursor:
                cursor.execute(f"EXPLAIN {sql}", values)
                plans.append("\n".join(line for (line,) in cursor.fetchall()))
    return plans


def test_no_index_of_all_that_ever_waited_is_read_for_a_few(alice: User, kinds: dict[str, Kind]) -> None:
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE tasks_task CASCADE")  # what other tests have rolled back still fills pages
    drafts = [Draft(name="n", kind="demo.noop", params={"x": 1.0}) for _ in range(1_000)]
    for _ in range(0, ENDED, len(drafts)):
        services.create_many(user=alice, drafts=drafts)
    Task.objects.update(status=Status.FINISHED, dispatch_at=None)  # the index still has them as waiting
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE tasks_task")
    services.create_many(user=alice, drafts=drafts[:FEW])
    due = schedule.due("default", FEW)
    assert len(due) == FEW
    tasks = [Task(pk=each.task) for each in due]
    plans = written(lambda: schedule.mark_handed_over(due))
    plans += written(lambda: recording.record([batch(*(finished(task) for task in tasks))]))
    assert Task.objects.filter(status=Status.FINISHED, handed_at__isnull=False).count() == FEW
    assert len(plans) == 2
    for plan in plans:
        assert "tasks_task_pkey" in plan
        assert "task_status" not in plan
        assert "Seq Scan on tasks_task" not in plan
