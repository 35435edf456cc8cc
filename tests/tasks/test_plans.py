"""How PostgreSQL finds the tasks that are marked and recorded: by their numbers, whatever else it might go by."""

from __future__ import annotations

import itertools
import re
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

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgresql]

ENDED = 10_000  # of a smaller table the planner reads all
FEW, MANY = 40, 500


def explained(work: Callable[[], object], *, for_any: bool = False) -> list[str]:
    """The plans of what it writes to tasks. `for_any`: those that are kept, whatever is bound."""
    said: list[tuple[str, Any]] = []

    def note(execute: Callable[..., Any], sql: str, values: Any, many: bool, context: Any) -> Any:
        if "UPDATE tasks_task " in sql:
            said.append((sql, values))
        return execute(sql, values, many, context)

    with connection.execute_wrapper(note):
        work()
    return [
        _plan(f"EXPLAIN (GENERIC_PLAN) {_numbered(sql)}" if for_any else f"EXPLAIN {sql}", None if for_any else values)
        for sql, values in said
    ]


def _plan(sql: str, values: Any) -> str:
    with repeating() as cursor:
        cursor.execute(sql, values)
        return "\n".join(line for (line,) in cursor.fetchall())


def _numbered(sql: str) -> str:
    numbers = itertools.count(1)
    return re.sub("%s", lambda _: f"${next(numbers)}", sql)


def created(user: User, count: int) -> None:
    drafts = [Draft(name="n", kind="demo.noop", params={"x": 1.0}) for _ in range(1_000)]
    for start in range(0, count, len(drafts)):
        services.create_many(user=user, drafts=drafts[: count - start])


def marked_and_recorded(count: int, *, for_any: bool = False) -> list[str]:
    """The plans of both, for so many together."""
    due = schedule.due("default", count)
    assert len(due) == count
    events = [finished(Task(pk=each.task)) for each in due]
    plans = explained(lambda: schedule.mark_handed_over(due), for_any=for_any)
    plans += explained(lambda: recording.record([batch(*events)]), for_any=for_any)
    assert Task.objects.filter(status=Status.FINISHED, handed_at__isnull=False).count() == count
    assert len(plans) == 2
    return plans


@pytest.fixture
def _empty() -> None:
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE tasks_task CASCADE")  # what other tests have rolled back still fills pages


@pytest.mark.usefixtures("_empty", "kinds")
def test_no_index_of_all_that_ever_waited_is_read_for_a_few(alice: User) -> None:
    created(alice, ENDED)
    Task.objects.update(status=Status.FINISHED, dispatch_at=None)  # the index still has them as waiting
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE tasks_task")
    created(alice, FEW)
    for plan in marked_and_recorded(FEW):
        assert "tasks_task_pkey" in plan
        assert "task_status" not in plan
        assert "Seq Scan on tasks_task" not in plan


@pytest.mark.usefixtures("_empty", "kinds")
@pytest.mark.parametrize("ended", [0, ENDED])
@pytest.mark.parametrize("is_known", [False, True], ids=["never analyzed", "analyzed"])
def test_no_task_is_compared_with_each_of_a_list(alice: User, ended: int, is_known: bool) -> None:
    """By a plan that is kept, which would take as long as the list times the table."""
    created(alice, ended)
    Task.objects.update(status=Status.FINISHED, dispatch_at=None)
    created(alice, MANY)
    with connection.cursor() as cursor:
        cursor.execute(
            "ANALYZE tasks_task" if is_known else "DELETE FROM pg_statistic WHERE starelid = 'tasks_task'::regclass"
        )
    for plan in marked_and_recorded(MANY, for_any=True):
        assert not re.search(r"Join Filter: .*\bid = ", plan), plan
