"""How a task is to be run, asked for over GraphQL: its limits, its key, and acts on it afterwards."""

import re
import threading
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.utils import timezone

from apps.accounts.permissions import Scope
from apps.queues.models import Queue
from apps.tasks import saving
from apps.tasks.drafts import Draft, Refused
from apps.tasks.models import CancelledAttempt, Kind, Task
from apps.tasks.recording import record
from apps.tasks.services import create, create_many
from tests.fixtures.asking import Asker
from tests.tasks.events import batch, failed
from tests.tasks.rows import a_task, text_of

pytestmark = pytest.mark.django_db

CREATE = """mutation ($input: CreateTaskInput!) { createTask(input: $input) {
  created task { number maxAttempts timeoutSeconds idempotencyKey crashes } userErrors { field message code }
} }"""
CREATE_MANY = """mutation ($input: [CreateTaskInput!]!) { createTasks(input: $input) {
  createdCount tasks { number } userErrors { field message code }
} }"""
ACT = """mutation ($id: ID!) { act: %s(input: {id: $id}) {
  task { number status viewerCan { retry cancel delete } } userErrors { field message code }
} }"""
CLAIM = "mutation ($input: ClaimTaskInput!) { claimTask(input: $input) { verdict holder } }"


@pytest.fixture
def asker(alice: User) -> Asker:
    return Asker.of(alice)


@pytest.fixture
def worker(db: None) -> Asker:
    return Asker.of(None, Scope.WORKER)


def asked(**options: Any) -> dict[str, Any]:
    return {"name": "n", "kind": "demo.noop", "options": options}


def test_a_task_goes_to_the_queue_that_is_named(asker: Asker, kinds: dict[str, Kind]) -> None:
    for options, queue in ((asked(), "default"), (asked(queue="coins"), "coins")):
        number = asker.data(CREATE, input=options)["createTask"]["task"]["number"]
        assert Task.objects.get(pk=number).queue == queue
    [error] = asker.data(CREATE, input=asked(queue="coin"))["createTask"]["userErrors"]
    assert error == {
        "field": ["options", "queue"],
        "message": "There is no queue 'coin'. Queues: coins, default.",
        "code": "NOT_FOUND",
    }
    again = asked(idempotencyKey="k", queue="coins")
    assert [asker.data(CREATE, input=again)["createTask"]["created"] for _ in range(2)] == [True, False]
    other = asker.data(CREATE, input=asked(idempotencyKey="k"))["createTask"]
    assert other["userErrors"][0]["code"] == "CONFLICT"


def test_the_form_offers_the_queues_and_keeps_the_chosen_one(web: Client, alice: User) -> None:
    def options(address: str) -> list[str]:
        field = (
            text_of(web.get(address))
            .replace("&#x27;", "'")
            .partition('<select name="queue"')[2]
            .partition("</select>")[0]
        )
        return ["".join(found) for found in re.findall(r'<option value="[^"]*"( selected)?>(.*?)</option>', field)]

    assert options("/tasks/new/?kind=demo.coin") == [" selectedcoins (its kind's)", "default"]
    assert options("/tasks/new/?kind=demo.noop&queue=coins") == ["default (its kind's)", " selectedcoins"]
    for queue, kept in (("", "default"), ("coins", "coins")):
        web.post("/tasks/new/", {"name": "n", "kind": "demo.noop", "queue": queue})
        assert Task.objects.latest("pk").queue == kept
    assert options(f"/tasks/new/?from={Task.objects.latest('pk').pk}") == ["default (its kind's)", " selectedcoins"]


def test_a_queue_that_is_not_there_is_told_beside_its_field(web: Client) -> None:
    told = "There is no queue &#x27;coin&#x27;. Queues: coins, default."
    assert told in text_of(web.get("/tasks/new/?kind=demo.noop&queue=coin"))
    response = web.post("/tasks/new/", {"name": "n", "kind": "demo.noop", "queue": "coin"})
    assert response.status_code == 422
    html = text_of(response)
    assert told in html
    assert '<option value="coin" selected>coin (not a choice)</option>' in html
    assert not Task.objects.exists()


def test_the_form_says_that_the_chosen_queue_is_paused(web: Client) -> None:
    Queue.objects.create(name="coins", paused_at=timezone.now())
    said = "The queue coins is paused"
    assert said in text_of(web.get("/tasks/new/?kind=demo.noop&queue=coins"))
    assert said not in text_of(web.get("/tasks/new/?kind=demo.coin&queue=default"))


def test_a_task_has_its_kinds_limits_unless_told(asker: Asker, kinds: dict[str, Kind]) -> None:
    Kind.objects.update(max_attempts=4, timeout_seconds=60, retry_seconds=2, max_crashes=5)
    task = asker.data(CREATE, input=asked())["createTask"]["task"]
    assert (task["maxAttempts"], task["timeoutSeconds"], task["crashes"]) == (4, 60, 0)
    stored = Task.objects.get()
    assert (stored.retry_seconds, stored.max_crashes) == (2, 5)
    task = asker.data(CREATE, input=asked(maxAttempts=2, timeoutSeconds=0.5))["createTask"]["task"]
    assert (task["maxAttempts"], task["timeoutSeconds"]) == (2, 0.5)
    shown = asker.data("{ kinds { name maxAttempts timeoutSeconds } }")["kinds"]
    assert {"name": "demo.noop", "maxAttempts": 4, "timeoutSeconds": 60} in shown


def test_a_priority_is_kept_found_and_ordered_by(asker: Asker, kinds: dict[str, Kind]) -> None:
    drafts = [asked(priority=100), asked(), asked(priority=-100), asked(priority=None)]
    asker.data(CREATE_MANY, input=drafts)
    document = """query ($asked: String) {
      tasks(query: $asked, orderBy: {field: PRIORITY, direction: DESC}) { nodes { priority } }
    }"""
    for query, found in {"": [100, 0, 0, -100], "priority:>0": [100], "priority:<=0": [0, 0, -100]}.items():
        assert [node["priority"] for node in asker.data(document, asked=query)["tasks"]["nodes"]] == found


@pytest.mark.parametrize("priority", [-101, 101, 2**31 - 1])
def test_a_priority_out_of_bounds_is_refused_with_the_bounds(
    asker: Asker, kinds: dict[str, Kind], priority: int
) -> None:
    [error] = asker.data(CREATE, input=asked(priority=priority))["createTask"]["userErrors"]
    assert error["field"] == ["options", "priority"]
    assert error["message"] == "Must be a whole number from -100 to 100: the higher goes first."


@pytest.mark.parametrize(("seconds", "taken"), [(0, False), (5e-324, False), (0.001, True), (604_801, False)])
def test_a_time_limit_is_one_that_can_be_kept(
    asker: Asker, kinds: dict[str, Kind], seconds: float, taken: bool
) -> None:
    payload = asker.data(CREATE, input=asked(timeoutSeconds=seconds))["createTask"]
    assert payload["created"] is taken
    told = [error["message"] for error in payload["userErrors"]]
    assert told == ([] if taken else ["Must be from 0.001 to 604,800 seconds, which are seven days."])


def test_the_same_request_under_the_same_key_is_the_same_task(asker: Asker, kinds: dict[str, Kind]) -> None:
    once = asker.data(CREATE, input=asked(idempotencyKey="k1", delaySeconds=60))["createTask"]
    twice = asker.data(CREATE, input=asked(idempotencyKey="k1", delaySeconds=60))["createTask"]
    assert (once["created"], twice["created"]) == (True, False)
    assert once["task"] == twice["task"]
    assert once["task"]["idempotencyKey"] == "k1"
    assert Task.objects.count() == 1


def test_the_same_request_is_answered_though_its_kind_is_gone(asker: Asker, kinds: dict[str, Kind]) -> None:
    asker.data(CREATE, input=asked(idempotencyKey="k1"))
    Kind.objects.all().delete()
    assert asker.data(CREATE, input=asked(idempotencyKey="k1"))["createTask"]["created"] is False


@pytest.mark.parametrize(
    "other",
    [
        {"name": "m"},
        {"params": {"x": 1}},
        {"options": {"idempotencyKey": "k1", "maxAttempts": 2}},
        {"options": {"idempotencyKey": "k1", "priority": 1}},
    ],
)
def test_another_request_under_the_same_key_is_refused(
    asker: Asker, kinds: dict[str, Kind], other: dict[str, Any]
) -> None:
    asker.data(CREATE, input=asked(idempotencyKey="k1"))
    payload = asker.data(CREATE, input={**asked(idempotencyKey="k1"), **other})["createTask"]
    [error] = payload["userErrors"]
    assert (payload["task"], payload["created"]) == (None, False)
    assert (error["field"], error["code"]) == (["options", "idempotencyKey"], "CONFLICT")
    assert f"task {Task.objects.get().pk}" in error["message"]


def test_keys_of_two_people_do_not_meet(asker: Asker, bob: User, kinds: dict[str, Kind]) -> None:
    asker.data(CREATE, input=asked(idempotencyKey="k1"))
    assert Asker.of(bob).data(CREATE, input=asked(idempotencyKey="k1"))["createTask"]["created"] is True


def test_of_many_only_those_with_new_keys_are_created(asker: Asker, kinds: dict[str, Kind]) -> None:
    asker.data(CREATE, input=asked(idempotencyKey="k1"))
    drafts = [asked(idempotencyKey="k0"), asked(idempotencyKey="k1"), asked()]
    payload = asker.data(CREATE_MANY, input=drafts)["createTasks"]
    assert payload["createdCount"] == 2
    numbers = [task["number"] for task in payload["tasks"]]
    assert numbers[1] == min(numbers)
    assert asker.data(CREATE_MANY, input=drafts[:2])["createTasks"]["createdCount"] == 0


def test_a_key_that_stands_twice_in_one_call_is_refused(asker: Asker, kinds: dict[str, Kind]) -> None:
    payload = asker.data(CREATE_MANY, input=[asked(idempotencyKey="k")] * 2)["createTasks"]
    assert [error["field"] for error in payload["userErrors"]] == [["1", "options", "idempotencyKey"]]
    assert not Task.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_key_used_at_the_same_moment_makes_one_task(alice: User, kinds: dict[str, Kind]) -> None:
    made: list[Task] = []
    together = threading.Barrier(4)

    def make() -> None:
        together.wait(timeout=120)
        try:
            made.extend(create_many(user=alice, drafts=[Draft(name="n", kind="demo.noop", idempotency_key="k")]))
        finally:
            connection.close()

    threads = [threading.Thread(target=make) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({task.pk for task in made}) == 1
    assert [task.existed for task in made].count(False) == 1
    assert Task.objects.count() == len(made) - 3 == 1


def test_keys_used_one_after_the_other_while_many_are_created_make_one_task_each(
    alice: User, kinds: dict[str, Kind], monkeypatch: pytest.MonkeyPatch
) -> None:
    drafts = [Draft(name="n", kind="demo.noop", idempotency_key=f"k{n}") for n in range(3)]
    others, save = iter(drafts), saving.save

    def after_another(*arguments: Any, **more: Any) -> None:
        monkeypatch.setattr(saving, "save", save)
        if draft := next(others, None):
            create(user=alice, draft=draft)
        monkeypatch.setattr(saving, "save", after_another)
        save(*arguments, **more)

    monkeypatch.setattr(saving, "save", after_another)
    assert [task.existed for task in create_many(user=alice, drafts=drafts)] == [True, True, True]
    assert Task.objects.count() == 3


def test_a_key_is_checked_by_the_service_too(alice: User, kinds: dict[str, Kind]) -> None:
    with pytest.raises(Refused, match="1 to 200 ASCII characters"):
        create(user=alice, draft=Draft(name="n", kind="demo.noop", idempotency_key="\n"))


def test_a_task_is_cancelled_and_tried_again(asker: Asker, alice: User) -> None:
    task = a_task(alice, handed_at=timezone.now())
    payload = asker.data(ACT % "cancelTask", id=str(task.pk))["act"]
    assert payload["userErrors"] == []
    assert payload["task"]["status"] == "CANCELLED"
    assert payload["task"]["viewerCan"] == {"retry": True, "cancel": False, "delete": True}
    payload = asker.data(ACT % "retryTask", id=str(task.pk))["act"]
    assert payload["task"]["status"] == "QUEUEING"
    assert payload["task"]["viewerCan"] == {"retry": False, "cancel": True, "delete": True}


@pytest.mark.parametrize(("act", "status"), [("cancelTask", "FINISHED"), ("retryTask", "RUNNING")])
def test_what_cannot_be_done_now_is_told(asker: Asker, alice: User, bob: User, act: str, status: str) -> None:
    task = a_task(alice, status=status)
    payload = asker.data(ACT % act, id=str(task.pk))["act"]
    assert payload["task"] is None
    assert [(error["field"], error["code"]) for error in payload["userErrors"]] == [(["id"], "NOT_ALLOWED_IN_STATUS")]
    payload = asker.data(ACT % act, id=str(a_task(bob).pk))["act"]
    assert [error["code"] for error in payload["userErrors"]] == ["NOT_FOUND"]


@pytest.mark.parametrize("act", ["cancelTask", "retryTask"])
def test_acts_need_the_right_to_write(alice: User, act: str) -> None:
    answer = Asker.of(alice, Scope.TASKS_READ).ask(ACT % act, id=str(a_task(alice).pk))
    assert answer["errors"][0]["extensions"]["code"] == "FORBIDDEN"


def test_a_worker_hears_who_holds_what_it_claims(worker: Asker, alice: User) -> None:
    task = a_task(alice, status="RUNNING", worker="w1")
    asks = {"task": task.pk, "attempt": 1, "worker": "w2"}
    assert worker.data(CLAIM, input=asks)["claimTask"] == {"verdict": "HELD", "holder": "w1"}


def test_a_worker_that_connects_hears_what_is_cancelled(worker: Asker, asker: Asker, alice: User) -> None:
    CancelledAttempt.objects.add([(7, 2)], timezone.now())
    document = "{ cancelledAttempts { task attempt } }"
    assert worker.data(document) == {"cancelledAttempts": [{"task": 7, "attempt": 2}]}
    assert asker.ask(document)["errors"][0]["extensions"]["code"] == "FORBIDDEN"


def test_a_task_that_waits_for_a_try_says_what_failed(asker: Asker, alice: User, kinds: dict[str, Kind]) -> None:
    task = a_task(alice, max_attempts=2)
    record([batch(failed(task))])
    shown = asker.data(f"{{ task(number: {task.pk}) {{ statusText runSeconds error {{ type }} }} }}")["task"]
    assert shown["statusText"].startswith("Waiting for its 2nd of 2 tries at ")
    assert (shown["runSeconds"], shown["error"]) == (None, None)
