"""Numbers that no column or no database can hold, wherever a number is taken: 21, 23, 41, 47 of docs/bad-input.md."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import URLResolver, get_resolver
from django.utils import timezone
from graphql_relay import to_global_id

import millrace
from apps.accounts import tokens
from apps.accounts.permissions import Scope
from apps.tasks import search
from apps.tasks.matching import matching
from apps.tasks.models import CancelledAttempt, Kind, Task
from apps.tasks.search_values import Clock
from tests.fixtures.asking import Asker
from tests.fuzz.cast import Cast
from tests.fuzz.sweep import sweep
from tests.fuzz.verdict import trouble
from tests.tasks.rows import a_task, text_of

TEXTS = [str(2**31), str(2**63 - 1), str(2**63), f"-{2**63}", "9" * 5_000]
CLAIM = "mutation ($i: ClaimTaskInput!) { claimTask(input: $i) { verdict holder } }"
HTMX = {"HX-Request": "true"}


def addresses(resolver: Any, text: str, before: str = "/") -> Iterator[str]:
    """Those that hold whole numbers, this one in the place of each."""
    for each in resolver.url_patterns:
        address = f"{before}{each.pattern}"
        if isinstance(each, URLResolver):
            yield from addresses(each, text, address)
        elif "<number:" in address:
            yield re.sub(r"<\w+:\w+>", "x", re.sub(r"<number:\w+>", text, address))
        assert "<int:" not in address, "the database would be asked for it, however large it is: take <number:>"


@pytest.fixture
def rows(desk: Client, fit: Kind) -> Task:
    return a_task(User.objects.get(username="ana"), kind="fit", status="FINISHED")


def test_no_number_in_an_address_is_a_fault_of_ours(desk: Client, rows: Task) -> None:
    asked = [address for text in TEXTS for address in addresses(get_resolver(), text)]
    assert len(asked) > 60
    found = {address: {desk.get(address).status_code, desk.post(address).status_code} for address in asked}
    assert {address[:60]: statuses for address, statuses in found.items() if statuses - {302, 404, 405}} == {}


QUERIES = [
    "/tasks/?after={}", "/tasks/?before={}", "/tasks/?seen={}", "/tasks/?at={}", "/tasks/changes/?seen={}",
    "/tasks/?sort=value&after={}~1", "/tasks/?q={}", "/tasks/?q=number:{}", "/tasks/look/?rows={}",
    "/tasks/new/?from={}", "/tasks/new/?kind=fit&p.paths={}", "/tasks/new/?kind=fit&p.drift={}",
    "/tasks/new/?kind=fit&priority={}&max_attempts={}&timeout_seconds={}",
    "/tasks/all/?act=retry&count={}", "/tasks/all/?act=priority&priority={}", "/tasks/{pk}/?attempt={}",
    "/tasks/{pk}/output/?attempt={}", "/tasks/{pk}/output.txt?attempt={}", "/tasks/{pk}/changes/?attempt={}",
    "/audit/?before={}", "/audit/?after={}", "/audit/?object=task+{}", "/overview/?span={}", "/failures/?after={}",
    "/admin/auth/user/?id={}", "/admin/auth/user/?p={}", "/admin/auth/user/{}/change/",
]  # fmt: skip
FORMS: list[tuple[str, dict[str, str]]] = [
    *((f"/tasks/{act}/", {"number": "{}", "confirmed": "1"}) for act in ("retry", "cancel", "delete", "again")),
    ("/tasks/priority/", {"number": "{pk}", "priority": "{}"}),
    ("/tasks/new/", {"name": "n", "kind": "fit", "cloned_from": "{}"}),
    ("/tasks/new/", {"name": "n", "kind": "fit", "p.paths": "{}"}),
    *(("/tasks/new/", {"name": "n", "kind": "fit", name: "{}"}) for name in ("priority", "max_attempts")),
    ("/tasks/new/", {"name": "n", "kind": "fit", "timeout_seconds": "{}"}),
    ("/tasks/all/", {"act": "retry", "q": "", "expected": "{}"}),
    ("/tasks/all/", {"act": "priority", "q": "", "expected": "1", "priority": "{}"}),
    ("/tasks/look/", {"rows": "{}"}),
    ("/tasks/{pk}/shares/", {"days": "{}"}),
    ("/account/tokens/", {"name": "n", "scopes": "tasks:read", "days": "{}"}),
    ("/queues/default/limits/", {"concurrency_limit": "{}", "rate_per_minute": "{}"}),
    ("/failures/0123456789abcdef/retry/", {"shown": "{}@2026-03-01T12:00:00+00:00"}),
    ("/failures/0123456789abcdef/delete/", {"shown": "{}@2026-03-01T12:00:00+00:00", "confirmed": "1"}),
]


def test_no_number_in_a_query_is_a_fault_of_ours(desk: Client, rows: Task) -> None:
    asked = [query.replace("{pk}", str(rows.pk)).replace("{}", text) for query in QUERIES for text in TEXTS[:3]]
    assert [address[:90] for address in asked if desk.get(address).status_code >= 500] == []


def test_no_number_in_a_form_is_a_fault_of_ours(desk: Client, rows: Task) -> None:
    faults = []
    for address, fields in FORMS:
        for text in TEXTS:
            data = {name: value.replace("{pk}", str(rows.pk)).replace("{}", text) for name, value in fields.items()}
            response = desk.post(address.replace("{pk}", str(rows.pk)), data, headers=HTMX)
            if response.status_code >= 500:
                faults.append((address, text[:20], response.status_code))
    assert faults == []
    assert text_of(desk.post("/tasks/retry/", {"number": str(2**63 - 1)}, headers=HTMX)).count("No longer there") == 1


def test_no_number_in_a_search_is_a_fault_of_ours(rows: Task) -> None:
    clock, user, said = Clock(now=timezone.now()), User.objects.get(username="ana"), 0
    for field in search.FIELDS:
        for text in TEXTS:
            for typed in (text, f">{text}", f"{text}..{text}", f">{text}h", f"<={text}.5e300"):
                try:
                    list(matching(search.parse(f"{field}:{typed}", clock), user).all[:1])
                except search.Mistake:
                    said += 1
    assert said > 100


NUMBERS: dict[str, list[Any]] = {
    "Int": [2**31, -(2**31) - 1, 2**63, 10**30],
    "Float": [2.0**63, 1e30, -1e300, 10**30],
    "ID": [2**31, 2**63, *TEXTS[:3], to_global_id("Task", 2**63 - 1), to_global_id("User", 2**63)],
}


@pytest.mark.django_db(transaction=True)
def test_no_number_in_an_argument_is_a_fault_of_ours() -> None:
    cast, count = Cast(), 0
    for shot in sweep(cast, NUMBERS):
        count += 1
        assert trouble(shot.fire(cast), stranger=False) == "", shot.body
    assert count > 200


def test_a_task_may_have_any_number_that_a_row_can_have(desk: Client, fit: Kind) -> None:
    ana, number = User.objects.get(username="ana"), 2**31 + 5
    task = a_task(ana, id=number, kind="fit", status="RUNNING", worker="w1", cloned_from=number)
    CancelledAttempt.objects.add([(number, 1)], timezone.now())
    for address in (
        "",
        f"{number}/",
        f"{number}/changes/",
        f"?q={number}",
        f"?after={number + 1}",
        f"copy/?q={number}",
    ):
        assert (
            desk.get(f"/tasks/{address}", headers={"HX-PTag": "x"} if "changes" in address else {}).status_code == 200
        )
    asker, worker = Asker.of(ana), Asker.of(None, Scope.WORKER)
    found = asker.data("{ tasks { nodes { number } } taskChanges { tasks { number clonedFrom { number } } } }")
    assert found["tasks"]["nodes"] == [{"number": number}]
    assert found["taskChanges"]["tasks"] == [{"number": number, "clonedFrom": {"number": number}}]
    for key in (str(number), to_global_id("Task", number)):
        assert asker.data("query ($id: ID!) { task(id: $id) { number } }", id=key) == {"task": {"number": number}}
    held = worker.data(CLAIM, i={"task": number, "attempt": 1, "worker": "w2"})
    assert held == {"claimTask": {"verdict": "HELD", "holder": "w1"}}
    assert {"task": number, "attempt": 1} in worker.data("{ cancelledAttempts { task attempt } }")["cancelledAttempts"]
    assert desk.post("/tasks/cancel/", {"number": number, "confirmed": "1"}).status_code == 302
    task.refresh_from_db()
    assert task.status == "CANCELLED"


def test_the_client_says_of_a_number_what_is_wrong(live_server: Any, alice: User) -> None:
    token = tokens.make(user=alice, scopes=(Scope.TASKS_WRITE,))[1]
    with millrace.Client(live_server.url, token) as client:
        for number in (2**31, 2**63 - 1):
            with pytest.raises(millrace.NotFound, match=f"there is no task {number}"):
                client.task(number)
            with pytest.raises(millrace.NotFound, match="no task"):
                client.several([number])
        for number in (2**63, 10**30):
            with pytest.raises(millrace.Refused, match="not the id of a Task"):
                client.task(number)
