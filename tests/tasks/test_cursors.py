"""Plans that PostgreSQL keeps: it does, and not for longer than they are good."""

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.utils import timezone

from apps.tasks.cursors import FEW, forget_old_plans, keeping
from apps.tasks.models import Task
from tests.tasks.rows import a_task

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.postgresql,
]

OFTEN = 12  # five times until the driver has it prepared, five more until the server keeps its plan


@pytest.fixture(autouse=True)
def fresh() -> None:
    """On a connection that keeps nothing yet."""
    connection.close()


def ask(number: int, times: int = 1) -> None:
    for _ in range(times):
        with keeping() as cursor:
            cursor.execute("SELECT t.id FROM tasks_task t WHERE t.id = %s", [number])
            assert cursor.fetchone() == (number,)


def kept() -> tuple[int, str]:
    """How often it ran by the plan that is kept, and that plan."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT name, generic_plans FROM pg_prepared_statements WHERE statement LIKE '%%FROM tasks_task%%'"
        )
        ((name, times),) = cursor.fetchall()
        cursor.execute(f"EXPLAIN EXECUTE {name}(1)")
        return times, "\n".join(line for (line,) in cursor.fetchall())


def test_a_plan_is_kept_until_there_are_twice_as_many_tasks(alice: User) -> None:
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE tasks_task CASCADE")  # what other tests have rolled back still fills pages
        first = a_task(alice).pk
        cursor.execute("ANALYZE tasks_task")
    forget_old_plans(first)
    ask(first, OFTEN)
    times, plan = kept()
    assert times > 0
    assert "Seq Scan" in plan  # of a table of one page it is the quickest
    of_twice_as_many = 2 * first + FEW
    more = Task.objects.bulk_create(
        Task(pk=of_twice_as_many + n, name="n", kind="demo.noop", created_by=alice, created_at=timezone.now())
        for n in range(1_000)
    )
    forget_old_plans(more[-1].pk)
    ask(first)
    assert "using tasks_task_pkey" in kept()[1]
