"""The feed of changes: a mirror that follows it has everything, whatever order transactions commit in."""

import itertools
import random
import threading
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction
from graphql_relay import to_global_id

from apps.accounts import roles
from apps.accounts.permissions import Scope
from apps.accounts.roles import Role
from apps.tasks import changes, recording, services
from apps.tasks.clock import database_now, ticks
from apps.tasks.drafts import Draft
from apps.tasks.models import Change, Clock, Kind, Task
from tests.fixtures.asking import Asker, code_of
from tests.fixtures.statements import Statements
from tests.tasks.events import batch, failed, finished, progress, started
from tests.tasks.made import keep
from tests.tasks.rows import a_task

QUERY = """query ($after: String, $first: Int, $fromNow: Boolean = false) {
  taskChanges(after: $after, first: $first, fromNow: $fromNow) {
    tasks { id number status priority progress { fraction } artifacts { name } } deletedIds cursor more
} }"""


class Mirror:
    """What a program knows that asks page by page, and keeps the cursor in between."""

    def __init__(self, asker: Asker) -> None:
        self.asker = asker
        self.cursor: str | None = None
        self.statuses: dict[str, str] = {}
        self.told: list[int] = []

    def step(self, first: int) -> bool:
        page = self.asker.data(QUERY, after=self.cursor, first=first)["taskChanges"]
        assert len(page["tasks"]) + len(page["deletedIds"]) <= first
        self.cursor = page["cursor"]
        self.statuses.update({task["id"]: task["status"] for task in page["tasks"]})
        for gone in page["deletedIds"]:
            self.statuses.pop(gone, None)
        self.told += [task["number"] for task in page["tasks"]]
        return bool(page["more"])

    def catch_up(self, first: int = 1_000) -> list[int]:
        """The numbers that it was told of, in this order."""
        self.told = []
        while self.step(first):
            pass
        return self.told


def of(user: User) -> dict[str, str]:
    mine = Task.objects.visible_to(user).values_list("pk", "status")
    return {to_global_id("Task", number): status for number, status in mine}


def drafts(count: int) -> list[Draft]:
    return [Draft(name=f"n{n}", kind="demo.noop") for n in range(count)]


@pytest.fixture
def mirror(alice: User, kinds: dict[str, Kind]) -> Mirror:
    return Mirror(Asker.of(alice))


@pytest.mark.django_db
def test_mirrors_with_pages_of_any_size_have_what_each_person_may_see(
    mirror: Mirror, alice: User, bob: User, sam: User
) -> None:
    chance = random.Random(2)
    vera = User.objects.create_user("vera")
    roles.give(vera, Role.VIEWER, ())
    mirrors = {alice: mirror, **{each: Mirror(Asker.of(each)) for each in (bob, sam, vera)}}
    for _ in range(3):  # as before the feed was there
        a_task(alice), a_task(bob)
    for _ in range(25):
        owner = chance.choice([alice, bob])
        numbers = chance.sample(list(Task.objects.values_list("pk", flat=True)), 3)
        act = chance.choice(["create", "cancel", "delete", "retry", "priority", "finish"])
        match act:
            case "create":
                services.create_many(user=owner, drafts=drafts(chance.randint(1, 7)))
            case "priority":
                services.set_priority(user=owner, numbers=numbers, priority=chance.randint(-9, 9))
            case "finish":
                tasks = Task.objects.filter(pk__in=numbers)
                recording.record([batch(*(finished(task, task.attempt) for task in tasks))])
            case _:
                getattr(services, act)(user=owner, numbers=numbers)
        for each in mirrors.values():
            if chance.random() < 0.7:
                each.step(chance.randint(1, 4))
    for user, each in mirrors.items():
        each.catch_up(chance.choice([1, 5, 1_000]))
        assert each.statuses == of(user)
    assert set(mirror.statuses).isdisjoint(mirrors[bob].statuses)


@pytest.mark.django_db
def test_a_task_is_told_again_with_everything_that_the_table_shows_of_it(mirror: Mirror, alice: User) -> None:
    first, second = services.create_many(user=alice, drafts=drafts(2))
    assert mirror.catch_up() == [first.pk, second.pk]
    for events, told in (
        ([started(second), started(first)], [second.pk, first.pk]),
        ([progress(first, 0.5)], [first.pk]),
        ([progress(first, 0.501)], []),  # not another percent
        ([failed(second), finished(second)], [second.pk]),
        ([finished(second)], []),  # twice
    ):
        recording.record([batch(*events)])
        assert mirror.catch_up() == told
    keep(first, b"a,b\n")
    page = mirror.asker.data(QUERY, after=mirror.cursor)["taskChanges"]
    assert page["tasks"][0]["artifacts"] == [{"name": "fit.csv"}]
    assert page["tasks"][0]["progress"] == {"fraction": 0.501}


@pytest.mark.django_db
def test_a_program_may_begin_with_what_happens_from_now_on(mirror: Mirror, alice: User) -> None:
    services.create(user=alice, draft=drafts(1)[0])
    page = mirror.asker.data(QUERY, fromNow=True, first=None)["taskChanges"]
    assert (page["tasks"], page["more"]) == ([], False)
    mirror.cursor = page["cursor"]
    new = services.create(user=alice, draft=drafts(1)[0])
    assert mirror.catch_up() == [new.pk]


@pytest.mark.django_db(transaction=True)
def test_what_is_committed_late_is_told_late(mirror: Mirror, alice: User) -> None:
    """One transaction has its number before another that commits first; its tick it gets when it is its turn."""
    mirror.catch_up()
    has_row, may_go = threading.Event(), threading.Event()

    def slowly() -> None:
        with transaction.atomic():
            number = a_task(alice).pk
            has_row.set()
            assert may_go.wait(120)
            services.set_priority(user=alice, numbers=[number], priority=1)
        connection.close()

    thread = threading.Thread(target=slowly)
    thread.start()
    assert has_row.wait(120)
    fast = []
    if connection.vendor == "postgresql":  # on SQLite one writes at a time
        with transaction.atomic():
            fast = [a_task(alice).pk]
            services.set_priority(user=alice, numbers=fast, priority=1)
    assert mirror.catch_up() == fast
    may_go.set()
    thread.join()
    slow = Task.objects.exclude(pk__in=fast).get()
    assert all(slow.pk < number for number in fast)
    assert mirror.catch_up() == [slow.pk]


@pytest.mark.django_db(transaction=True)
def test_writers_side_by_side_leave_nothing_out(mirror: Mirror, alice: User) -> None:
    done = threading.Event()

    def write() -> None:
        for count in (1, 3, 2, 5):
            made = services.create_many(user=alice, drafts=drafts(count))
            services.cancel(user=alice, numbers=[task.pk for task in made[::2]])
            services.delete(user=alice, numbers=[made[0].pk])
        connection.close()

    writers = [threading.Thread(target=write) for _ in range(3)]

    def wait() -> None:
        for each in writers:
            each.join()
        done.set()

    for each in (*writers, waiter := threading.Thread(target=wait)):
        each.start()
    for first in itertools.cycle((1, 2, 7)):
        over = done.is_set()
        if not mirror.step(first) and over:
            break
    waiter.join()
    assert len(mirror.statuses) == 3 * 7
    assert mirror.statuses == of(alice)


@pytest.mark.django_db
def test_what_is_long_past_is_forgotten_and_a_reader_who_needed_it_is_told_so(mirror: Mirror, alice: User) -> None:
    made = services.create_many(user=alice, drafts=drafts(2))
    mirror.catch_up()
    before = mirror.cursor
    services.cancel(user=alice, numbers=[made[0].pk])
    mirror.catch_up()
    Change.objects.update(at=database_now() - changes.KEPT - timedelta(seconds=1))
    services.cancel(user=alice, numbers=[made[1].pk])

    assert not changes.forget()

    assert Change.objects.count() == 1
    assert mirror.catch_up() == [made[1].pk], "who has heard all that is forgotten goes on"
    mirror.cursor = before
    answer = mirror.asker.ask(QUERY, after=before)
    assert code_of(answer) == "CURSOR_EXPIRED"
    assert "only of 2 days" in answer["errors"][0]["message"]
    Clock.objects.update(ticks=ticks() - 1)  # as of a backup
    ahead = to_global_id("changes", f"{ticks() + 1}.0")
    assert code_of(mirror.asker.ask(QUERY, after=ahead)) == "CURSOR_EXPIRED"


@pytest.mark.django_db
def test_one_answer_looks_at_so_many_changes_of_others_and_no_more(
    mirror: Mirror, alice: User, bob: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    mirror.catch_up()
    services.create_many(user=bob, drafts=drafts(7))
    mine = services.create(user=alice, draft=drafts(1)[0])
    monkeypatch.setattr(changes, "AT_ONCE", 2)
    monkeypatch.setattr(changes, "MOST_LOOKED_AT", 4)
    assert mirror.step(10)
    assert mirror.told == []
    assert mirror.catch_up() == [mine.pk]


@pytest.mark.django_db
def test_asking_when_nothing_has_changed_is_one_tiny_select(
    mirror: Mirror, alice: User, statements: Statements
) -> None:
    services.create(user=alice, draft=drafts(1)[0])
    place = changes.now()
    with statements() as queries:
        found = changes.since(place, alice, 200)
    assert (found.changed, found.more, found.place) == ([], False, place)
    assert len(queries) == 1


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"after": "12"}, "after is not a cursor of taskChanges: '12'"),
        ({"after": to_global_id("at", "12")}, "after is not a cursor of taskChanges"),
        ({"after": to_global_id("changes", "1.2.3.4")}, "after is not a cursor of taskChanges"),
        ({"after": to_global_id("changes", f"{2**63}.0")}, "after is not a cursor of taskChanges"),
        ({"after": to_global_id("changes", "0.0"), "fromNow": True}, "Give after or fromNow, not both."),
        ({"first": 1_001}, "first must be from 1 to 1,000 (got 1001)."),
        ({"first": 0}, "first must be from 1 to 1,000 (got 0)."),
    ],
)
def test_what_is_no_place_is_refused_with_a_sentence(mirror: Mirror, variables: dict[str, Any], said: str) -> None:
    answer = mirror.asker.ask(QUERY, **variables)
    assert code_of(answer) == "BAD_USER_INPUT"
    assert said in answer["errors"][0]["message"]


def test_a_token_that_may_not_read_is_refused(db: None, alice: User) -> None:
    assert code_of(Asker.of(alice, Scope.SINK).ask(QUERY)) == "FORBIDDEN"
