"""An act on all that match: asked with the number, done piece by piece, stopped, and never on what is not theirs."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from apps.audit.models import Entry
from apps.tasks import matching, services, sweeps
from apps.tasks.models import Kind, Sweep, Task
from apps.tasks.recording import record
from apps.tasks.search import Mistake
from tests.tasks.events import batch, finished, started
from tests.tasks.events import failed as fails
from tests.tasks.rows import a_task, an_attempt, text_of

RETRY: dict[str, Any] = {"act": "retry", "zone": "UTC"}


@pytest.fixture
def failed(alice: User, kinds: dict[str, Kind], monkeypatch: pytest.MonkeyPatch) -> list[Task]:
    monkeypatch.setattr(sweeps, "PIECE", 4)
    return [a_task(alice, name=f"fit {n}", status="FAILED") for n in range(10)]


def run() -> int:
    """To the end; how many pieces it took."""
    pieces = 0
    while sweeps.advance():
        pieces += 1
        assert pieces < 50
    return pieces


def statuses() -> list[str]:
    return list(Task.objects.order_by("pk").values_list("status", flat=True))


def test_all_that_match_are_retried_piece_by_piece(alice: User, bob: User, failed: list[Task]) -> None:
    others = a_task(bob, name="fit of bob", status="FAILED")
    sweep = sweeps.begin(user=alice, text="status:FAILED fit", expected=10, **RETRY)
    later = a_task(alice, name="fit too late", status="FAILED")
    assert run() == 3
    sweep.refresh_from_db()
    assert (sweep.done, sweep.refused, sweep.percent) == (10, 0, 100)
    assert sweep.ended_at
    assert statuses() == ["QUEUEING"] * 10 + ["FAILED"] * 2
    assert {others.pk, later.pk} == set(Task.objects.filter(status="FAILED").values_list("pk", flat=True))


def test_one_that_fails_again_is_not_retried_twice(alice: User, failed: list[Task]) -> None:
    sweeps.begin(user=alice, text="status:FAILED", expected=10, **RETRY)
    sweeps.advance()
    Task.objects.filter(status="QUEUEING").update(status="FAILED")
    run()
    assert set(Task.objects.values_list("attempt", flat=True)) == {2}


@dataclass(frozen=True)
class Meanwhile:
    """What happens to tasks while a sweep works: how one `was`, what makes it match, and what then becomes of it."""

    act: str
    query: str
    was: dict[str, Any]
    happens: Callable[[User, Task], object]
    left: str


def _reports(*events: Callable[..., dict[str, Any]]) -> Callable[[User, Task], object]:
    return lambda _, task: record([batch(event(Task.objects.get(pk=task.pk)), worker="w1") for event in events])


def _retried(user: User, task: Task) -> None:
    services.retry(user=user, numbers=[task.pk])


def _cancelled(user: User, task: Task) -> None:
    services.cancel(user=user, numbers=[task.pk])


def _tried_again(user: User, task: Task) -> None:
    Task.objects.filter(pk=task.pk).update(max_attempts=2)
    _reports(fails)(user, task)


RUNS: dict[str, Any] = {"status": "RUNNING", "worker": "w1"}
ENDED: dict[str, Any] = {"status": "FAILED", "finished_at": timezone.now() - timedelta(days=1)}
MEANWHILE = {
    "fails": Meanwhile("delete", "status:FAILED", RUNS, _reports(fails), "FAILED"),
    "finishes": Meanwhile("delete", "status:FAILED,FINISHED", RUNS, _reports(finished), "FINISHED"),
    "is cancelled": Meanwhile("retry", "status:FAILED,CANCELLED", {}, _cancelled, "CANCELLED"),
    "ends, searched for by name": Meanwhile("delete", "fit", RUNS, _reports(finished), "FINISHED"),
    "is retried": Meanwhile("delete", "status:FAILED,QUEUEING", ENDED, _retried, "QUEUEING"),
    "is retried, to be prioritised": Meanwhile("priority", "status:FAILED,QUEUEING", ENDED, _retried, "QUEUEING"),
    "is retried, to be cancelled": Meanwhile("cancel", "fit", ENDED, _retried, "QUEUEING"),
    "waits for its next try": Meanwhile("delete", "status:FAILED,QUEUEING", RUNS, _tried_again, "QUEUEING"),
    "begins": Meanwhile("cancel", "status:FAILED,RUNNING", {}, _reports(started), "RUNNING"),
    "begins, searched for by name": Meanwhile("cancel", "fit", {}, _reports(started), "CANCELLED"),
}


@pytest.mark.parametrize("meanwhile", MEANWHILE.values(), ids=MEANWHILE)
def test_what_comes_to_match_meanwhile_is_left_alone(alice: User, failed: list[Task], meanwhile: Meanwhile) -> None:
    task = a_task(alice, name="fit of another", **meanwhile.was)
    asked: dict[str, Any] = {"act": meanwhile.act, "priority": 7 if meanwhile.act == "priority" else None}
    count = sweeps.count(alice, meanwhile.query, "UTC")
    sweeps.begin(user=alice, text=meanwhile.query, zone="UTC", expected=count, **asked)
    meanwhile.happens(alice, task)
    run()
    assert list(Task.objects.filter(pk=task.pk).values_list("status", "priority")) == [(meanwhile.left, 0)]


def test_what_waits_for_its_next_try_is_meant_like_the_rest(alice: User, failed: list[Task]) -> None:
    later = timezone.now() + timedelta(hours=1)
    waits = {"attempt": 2, "errors": 1, "reason": "RETRY_WAIT", "run_at": later, "dispatch_at": later}
    again = an_attempt(a_task(alice, name="fit", **waits), status="FAILED", finished_at=timezone.now())
    a_task(alice, name="fit", reason="SCHEDULED", run_at=later, dispatch_at=later)
    sweeps.begin(user=alice, act="cancel", text="status:QUEUEING", zone="UTC", expected=2)
    run()
    assert Task.objects.get(pk=again.task_id).status == "CANCELLED"
    assert not Task.objects.filter(status="QUEUEING").exists()


def test_what_is_created_while_they_are_counted_is_none_of_them(
    alice: User, failed: list[Task], monkeypatch: pytest.MonkeyPatch
) -> None:
    def now() -> datetime:
        a_task(alice, name="fit", status="FINISHED")
        return timezone.now()

    monkeypatch.setattr(sweeps, "database_now", now)
    sweep = sweeps.begin(user=alice, act="delete", text="status:FAILED", zone="UTC", expected=10)
    assert sweep.last == failed[-1].pk


def test_what_cannot_be_done_is_counted_with_the_first_reason(alice: User, failed: list[Task]) -> None:
    a_task(alice, name="fit that runs", status="RUNNING")
    sweep = sweeps.begin(user=alice, text="fit", expected=11, act="delete", zone="UTC")
    run()
    sweep.refresh_from_db()
    assert (sweep.done, sweep.refused) == (10, 1)
    assert "is running: cancel it first" in sweep.refusal
    assert Task.objects.count() == 1


def test_a_number_that_has_moved_is_refused(alice: User, failed: list[Task]) -> None:
    a_task(alice, status="FAILED")
    with pytest.raises(sweeps.Moved) as moved:
        sweeps.begin(user=alice, text="status:FAILED", expected=10, **RETRY)
    assert moved.value.count == 11
    with pytest.raises(sweeps.Moved) as moved:
        sweeps.begin(user=alice, text="status:CANCELLED", expected=10, **RETRY)
    assert moved.value.count == 0
    with pytest.raises(Mistake):
        sweeps.begin(user=alice, text="statsu:FAILED", expected=10, **RETRY)
    assert not Sweep.objects.exists()


def test_fewer_than_were_shown_are_no_hindrance_and_the_others_are_told(
    web: Client, alice: User, failed: list[Task]
) -> None:
    Task.objects.filter(name__in=["fit 1", "fit 2"]).delete()
    address = web.post("/tasks/all/", {"q": "status:FAILED", "act": "retry", "count": "10"})["Location"]
    services.delete(user=alice, numbers=[failed[9].pk])
    assert "had moved on" not in text_of(web.get(address))
    run()
    assert "Done. 7 of 10 retried, 3 had moved on." in text_of(web.get(address))


def test_words_for_time_mean_the_time_it_was_begun(alice: User, failed: list[Task]) -> None:
    Task.objects.update(created_at=timezone.now() - timedelta(minutes=59))
    sweep = sweeps.begin(user=alice, text="created:1h", expected=10, **RETRY)
    Sweep.objects.update(begun_at=sweep.begun_at - timedelta(hours=1))
    run()
    assert set(statuses()) == {"QUEUEING"}


def test_it_stops_where_it_is(alice: User, bob: User, failed: list[Task]) -> None:
    sweep = sweeps.begin(user=alice, text="", expected=10, **RETRY)
    sweeps.advance()
    sweeps.stop(user=bob, number=sweep.pk)
    sweeps.advance()
    sweeps.stop(user=alice, number=sweep.pk)
    run()
    assert statuses() == ["QUEUEING"] * 8 + ["FAILED"] * 2


@pytest.mark.parametrize("trouble", [{"is_active": False}, None])
def test_one_whose_person_or_language_is_gone_ends(alice: User, failed: list[Task], trouble: Any) -> None:
    sweep = sweeps.begin(user=alice, text="status:FAILED", expected=10, **RETRY)
    if trouble:
        User.objects.update(**trouble)
    else:
        Sweep.objects.update(query="field_of_old:x")
    run()
    sweep.refresh_from_db()
    assert sweep.ended_at
    assert set(statuses()) == {"FAILED"}


def test_what_no_index_answers_is_swept_too(alice: User, failed: list[Task], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matching, "LOOKED_AT", 3)
    sweeps.begin(user=alice, text="name:1,9", expected=2, **RETRY)
    assert run() == 4
    assert [task.status for task in Task.objects.filter(name__in=["fit 1", "fit 9"])] == ["QUEUEING"] * 2
    assert Task.objects.filter(status="FAILED").count() == 8


def test_the_page_asks_with_the_number_and_shows_how_far_it_has_come(
    web: Client, alice: User, bob: User, failed: list[Task]
) -> None:
    page = text_of(web.get("/tasks/all/?q=status:FAILED"))
    assert "<h1>10 tasks</h1>" in page
    assert "Retry 10" in page
    a_task(alice, status="FAILED")
    chosen = {"q": "status:FAILED", "act": "retry", "count": "10"}
    refused = web.post("/tasks/all/", chosen)
    assert refused.status_code == 409
    assert "Nothing was done: 10 matched before, 11 match now." in text_of(refused)
    begun = web.post("/tasks/all/", {**chosen, "count": "11"})
    address = begun["Location"]
    assert re.fullmatch(r"/tasks/all/\d+/", address)
    assert "0 % · 0 retried." in text_of(web.get(address))
    assert f'<a href="{address}">Retry 11 tasks</a> is under way' in text_of(web.get("/tasks/"))
    sweeps.advance()
    part = web.get(address, headers={"HX-Request": "true"})
    assert "36 % · 4 retried." in text_of(part)
    assert web.get(address, headers={"HX-Request": "true", "HX-PTag": part["HX-PTag"]}).status_code == 304
    assert web.post(f"{address}stop/")["Location"] == address
    run()
    ended = text_of(web.get(address))
    assert "Stopped. 4 retried." in ended
    assert "hx-trigger" not in ended.split('id="sweep"')[1].split("</div>")[0]
    web.force_login(bob)
    assert web.get(address).status_code == 404
    assert web.post(f"{address}stop/").status_code == 404


def test_each_act_says_how_many_it_can_reach(web: Client, alice: User, failed: list[Task]) -> None:
    pressed = re.compile(r'name="act" value="(\w+)"( disabled[^>]*)?>([^<]+)<')

    def offered(query: str) -> tuple[list[tuple[str, bool]], str]:
        page = text_of(web.get(f"/tasks/all/?q={query}"))
        for act, disabled, _ in pressed.findall(page):
            assert (f'<p id="no-{act}"' in page) == bool(disabled)
        return [(label, not disabled) for _, disabled, label in pressed.findall(page)], page

    buttons, page = offered("status:FAILED")
    assert buttons == [("Retry 10", True), ("Cancel 10", False), ("Delete 10", True), ("Set priority of 10", False)]
    assert "None can be cancelled: all of them have ended." in page
    a_task(alice)
    a_task(alice, status="RUNNING")
    buttons, _ = offered("")
    assert [label for label, _ in buttons] == [
        "Retry 10 of 12",
        "Cancel 2 of 12",
        "Delete 11 of 12",
        "Set priority of 1 of 12",
    ]
    assert {usable for _, usable in buttons} == {True}
    assert "all of them run" in offered("status:RUNNING")[1]
    assert offered("status:CANCELLED")[0] == []


def test_a_form_that_is_sent_twice_begins_once(web: Client, alice: User, bob: User, failed: list[Task]) -> None:
    page = text_of(web.get("/tasks/all/?q=status:FAILED"))
    [form] = set(re.findall(r'name="form" value="([^"]+)"', page))
    sent = {"q": "status:FAILED", "act": "retry", "count": "10", "form": form}
    address = web.post("/tasks/all/", sent)["Location"]
    a_task(alice, status="FAILED")
    assert web.post("/tasks/all/", sent)["Location"] == address
    run()
    assert web.post("/tasks/all/", sent)["Location"] == address
    assert Sweep.objects.count() == 1
    for other in ({"act": "cancel"}, {"act": "priority", "priority": "1"}, {"act": "priority", "priority": "2"}):
        assert web.post("/tasks/all/", {**sent, **other})["Location"] != address
    assert form not in text_of(web.get("/tasks/all/?q=status:FAILED"))
    a_task(bob, status="FAILED")
    web.force_login(bob)
    assert web.post("/tasks/all/", sent)["Location"] != address
    assert Sweep.objects.count() == 5


def test_a_form_that_is_sent_twice_at_once_begins_once(
    alice: User, failed: list[Task], monkeypatch: pytest.MonkeyPatch
) -> None:
    def begin() -> Sweep:
        return sweeps.begin(user=alice, text="", expected=10, form="f", **RETRY)

    first: list[Sweep] = []

    def now() -> datetime:
        monkeypatch.undo()
        monkeypatch.setattr(sweeps, "PIECE", 4)
        first.append(begin())
        return timezone.now()

    monkeypatch.setattr(sweeps, "database_now", now)
    assert [begin()] == first
    assert Sweep.objects.count() == 1
    assert Entry.objects.filter(act="bulk.retry").count() == 1


@pytest.mark.parametrize(
    ("data", "status"),
    [
        ({"q": "statsu:x", "act": "retry", "count": "1"}, 422),
        ({"q": "", "act": "nonsense", "count": "1"}, 200),
        ({"q": "", "act": "priority", "count": "10"}, 422),
        ({"q": "", "act": "priority", "count": "10", "priority": "101"}, 422),
        ({"q": "", "act": "retry", "count": "x" * 50}, 409),
        ({"q": "\0", "act": "delete", "count": "-1"}, 422),
        ({}, 200),
    ],
)
def test_nothing_begins_by_a_mistake(web: Client, failed: list[Task], data: dict[str, str], status: int) -> None:
    assert web.post("/tasks/all/", data).status_code == status
    assert not Sweep.objects.exists()


def test_a_table_of_several_pages_leads_to_all_that_match(web: Client, alice: User) -> None:
    for n in range(51):
        a_task(alice, name=f"n{n}", status="FAILED")
    assert 'href="/tasks/all/?q=status%3AFAILED">Choose all 51 that match</a>' in text_of(
        web.get("/tasks/?q=status:FAILED")
    )
    assert "/tasks/all/" not in text_of(web.get("/tasks/?q=n7"))
    assert "/tasks/all/" not in text_of(web.get("/tasks/?q=status:"))
