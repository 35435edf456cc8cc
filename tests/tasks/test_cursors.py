"""Plans that PostgreSQL keeps: it does, and not for longer than they are good."""

import contextlib

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.utils import timezone

from apps.tasks.cursors import FEW, keeping
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
        with keeping(number) as cursor:
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
    first = a_task(alice).pk
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE tasks_task")
    ask(first, OFTEN)
    times, plan = kept()
    assert times > 0
    assert "Seq Scan" in plan  # of a table of one page it is the quickest
    more = Task.objects.bulk_create(
        Task(name="n", kind="demo.noop", created_by=alice, created_at=timezone.now()) for _ in range(2 * first + FEW)
    )
    ask(more[-1].pk)
    assert "using tasks_task_pkey" in kept()[1]


def test_what_a_failed_transaction_has_begun_is_begun_again(alice: User) -> None:
    task = a_task(alice).pk
    with contextlib.suppress(ZeroDivisionError), transaction.atomic():
        ask(task, OFTEN)
        raise ZeroDivisionError
    ask(task, OFTEN)
    assert kept()[0] > 0  # the driver has forgotten what it had prepared in it
