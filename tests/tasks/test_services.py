from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import OperationalError
from django.utils import timezone

from apps.relay import wake
from apps.relay.schedule import due
from apps.tasks.clock import ticks
from apps.tasks.drafts import Draft, Refused
from apps.tasks.models import Kind, Task
from apps.tasks.services import cancel, create, create_many, delete
from tests.fixtures.statements import Statements

pytestmark = pytest.mark.django_db


def test_a_created_task_is_due_at_once(alice: User, kinds: dict[str, Kind]) -> None:
    task = create(user=alice, draft=Draft(name="  a name ", kind="demo.coin", params={"sides": 2}))
    task.refresh_from_db()
    assert (task.name, task.status, task.reason, task.queue, task.attempt) == ("a name", "QUEUEING", "", "coins", 1)
    assert task.dispatch_at == task.created_at
    assert task.created_by == alice


def test_a_task_for_later_waits_in_the_database(alice: User, kinds: dict[str, Kind]) -> None:
    later = timezone.now() + timedelta(hours=1)
    task = create(user=alice, draft=Draft(name="later", kind="demo.noop", run_at=later))
    assert (task.reason, task.dispatch_at) == ("SCHEDULED", later)


def test_parameters_of_many_that_python_takes_for_equal_stay_as_they_were(alice: User, kinds: dict[str, Kind]) -> None:
    given: list[Any] = [1, 1.0, True, 1]
    tasks = create_many(user=alice, drafts=[Draft(name="n", kind="demo.noop", params={"x": x}) for x in given])
    stored = [Task.objects.get(pk=task.pk).params["x"] for task in tasks]
    assert [repr(x) for x in stored] == [repr(x) for x in given]
    handed_over = [each.params.replace(" ", "") for each in due("default", 10)]
    assert handed_over == ['{"x":1}', '{"x":1.0}', '{"x":true}', '{"x":1}']


def test_what_is_remembered_of_kinds_is_never_in_the_way(
    alice: User, kinds: dict[str, Kind], remembering: None, statements: Statements
) -> None:
    def made(kind: str, **params: Any) -> Task:
        return create(user=alice, draft=Draft(name="n", kind=kind, params=params))

    made("demo.noop")
    with statements() as sent:
        assert made("demo.noop", x="text").queue == "default"
    assert not [each for each in sent.captured_queries if "FROM tasks_kind ORDER" in each["sql"]]
    Kind.objects.create(name="new", queue="gpu", announced_at=timezone.now())
    assert made("new").queue == "gpu"
    schema = {"properties": {"x": {"type": "number"}}}
    Kind.objects.filter(name="demo.noop").update(schema=schema, queue="later", announced_at=timezone.now())
    with pytest.raises(Refused):
        made("demo.noop", x="text")
    assert made("demo.noop", x=1).queue == "later"
    Kind.objects.filter(name="demo.noop").delete()
    with pytest.raises(Refused):
        made("demo.noop", x=1)
    assert Task.objects.count() == 4


def test_a_hint_that_fails_does_not_deny_what_is_saved(
    alice: User, kinds: dict[str, Kind], monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    def fail() -> None:
        raise OperationalError("terminating connection due to administrator command")

    monkeypatch.setattr(wake, "relay", fail)
    with django_capture_on_commit_callbacks(execute=True) as callbacks:
        act = cancel(user=alice, numbers=[create(user=alice, draft=Draft(name="saved", kind="demo.noop")).pk])
    assert callbacks
    assert act.done == [Task.objects.get(status="CANCELLED").pk]


def test_a_time_in_the_past_means_now(alice: User, kinds: dict[str, Kind]) -> None:
    past = timezone.now() - timedelta(days=1)
    task = create(user=alice, draft=Draft(name="past", kind="demo.noop", run_at=past))
    assert (task.reason, task.dispatch_at) == ("", task.created_at)


def test_many_are_created_in_order_or_none(alice: User, kinds: dict[str, Kind]) -> None:
    before = ticks()
    tasks = create_many(user=alice, drafts=[Draft(name=f"n{n}", kind="demo.noop") for n in range(1000)])
    assert [task.pk for task in tasks] == sorted(task.pk for task in tasks)
    assert ticks() == before + 1
    with pytest.raises(Refused) as refused:
        create_many(user=alice, drafts=[Draft(name="good", kind="demo.noop"), Draft(name="", kind="nope")])
    assert [problem.field for problem in refused.value.problems] == [("1", "name"), ("1", "kind")]
    assert Task.objects.count() == 1000


def test_more_than_a_thousand_at_once_are_refused(alice: User, kinds: dict[str, Kind]) -> None:
    with pytest.raises(Refused, match=r"At most 1,000 tasks at once \(there are 1,001\)"):
        create_many(user=alice, drafts=[Draft(name="n", kind="demo.noop")] * 1001)


def test_running_tasks_are_not_deleted_and_the_reason_is_told(alice: User, kinds: dict[str, Kind]) -> None:
    waiting, running = create_many(user=alice, drafts=[Draft(name="n", kind="demo.noop")] * 2)
    Task.objects.filter(pk=running.pk).update(status="RUNNING")
    deletion = delete(user=alice, numbers=[waiting.pk, running.pk, 10**6])
    assert deletion.done == [waiting.pk]
    assert deletion.refused == {running.pk: f"Task {running.pk} is running: cancel it first."}
    assert list(Task.objects.all()) == [running]


def test_nobody_deletes_what_they_may_not_see(alice: User, bob: User, sam: User, kinds: dict[str, Kind]) -> None:
    task = create(user=alice, draft=Draft(name="mine", kind="demo.noop"))
    assert delete(user=bob, numbers=[task.pk]).done == []
    assert delete(user=sam, numbers=[task.pk]).done == [task.pk]


def test_numbers_beyond_the_database_are_passed_over(alice: User) -> None:
    assert delete(user=alice, numbers=[2**70, -1, 0]).done == []
