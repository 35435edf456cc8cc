"""How many open tasks a person may have."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.test import Client

from apps.tasks import quota, services
from apps.tasks.drafts import Draft, Refused
from apps.tasks.models import Task
from tests.fixtures.asking import Asker
from tests.tasks.rows import a_task

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("kinds")]
DRAFT = Draft(name="n", kind="demo.noop")


@pytest.fixture(autouse=True)
def _few(settings: Any) -> None:
    quota.forget()
    settings.OPEN_TASKS_PER_PERSON = 3


def test_too_many_open_tasks_are_refused_with_the_limit_and_what_to_do(alice: User) -> None:
    services.create_many(user=alice, drafts=[DRAFT] * 2)
    with pytest.raises(Refused, match=r"may have 3 open tasks \(you have 2\): wait until some have ended, cancel some"):
        services.create_many(user=alice, drafts=[DRAFT] * 2)
    services.create(user=alice, draft=DRAFT)
    with pytest.raises(Refused, match="you have 3"):
        services.create(user=alice, draft=DRAFT)
    assert Task.objects.count() == 3


def test_what_has_ended_makes_room(alice: User) -> None:
    for status in ("FINISHED", "FAILED", "CANCELLED", "RUNNING", "QUEUEING"):
        a_task(alice, status=status)
    services.create(user=alice, draft=DRAFT)
    with pytest.raises(Refused):
        services.create(user=alice, draft=DRAFT)
    services.cancel(user=alice, numbers=[Task.objects.filter(status="QUEUEING")[0].pk])
    cache.clear()  # as after five seconds
    services.create(user=alice, draft=DRAFT)


def test_others_and_staff_are_not_held_up(alice: User, bob: User, sam: User) -> None:
    services.create_many(user=alice, drafts=[DRAFT] * 3)
    services.create_many(user=bob, drafts=[DRAFT] * 3)
    services.create_many(user=sam, drafts=[DRAFT] * 9)
    assert Task.objects.count() == 15


def test_the_same_task_again_is_no_other_one(alice: User) -> None:
    draft = Draft(name="n", kind="demo.noop", idempotency_key="k")
    for _ in range(5):
        services.create(user=alice, draft=draft)
    assert Task.objects.count() == 1


def test_one_looks_seldom(alice: User, settings: Any, django_assert_num_queries: Any) -> None:
    settings.OPEN_TASKS_PER_PERSON = 5_000
    quota.check(alice, 10)
    with django_assert_num_queries(0):
        for _ in range(99):
            quota.check(alice, 10)
    with django_assert_num_queries(1):
        quota.check(alice, 10)
    with django_assert_num_queries(1), pytest.raises(Refused):
        quota.check(alice, 6_000)
    with django_assert_num_queries(0), pytest.raises(Refused):
        quota.check(alice, 6_000)


def test_every_door_says_so_and_loses_nothing(web: Client, alice: User) -> None:
    services.create_many(user=alice, drafts=[DRAFT] * 3)
    typed = {"name": "what I typed", "kind": "demo.noop", "shown": "demo.noop"}
    page = web.post("/tasks/new/", typed)
    assert page.status_code == 422
    assert "A person may have 3 open tasks (you have 3)" in page.content.decode()
    assert "what I typed" in page.content.decode()
    create = 'mutation { createTask(input: {name: "n", kind: "demo.noop"}) { userErrors { field message code } } }'
    (error,) = Asker.of(alice).data(create)["createTask"]["userErrors"]
    assert (error["field"], error["code"]) == (None, "LIMIT_REACHED")
    assert "wait until some have ended" in error["message"]
