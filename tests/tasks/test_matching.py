"""Which tasks a search finds, in which order, and how far it looks."""

import itertools
import math
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from apps.api.keyset import Place
from apps.tasks import matching, since
from apps.tasks.models import Kind, Task
from apps.tasks.orders import NEWEST_FIRST, ORDERS, order
from apps.tasks.search import parse
from apps.tasks.search_values import Clock
from tests.tasks.rows import a_task, an_attempt

Find = Callable[..., list[str]]


@pytest.fixture
def find(sam: User) -> Find:
    """The names that a search finds, in the order of its list."""

    def names(text: str, sort: str = "-created", who: User = sam) -> list[str]:
        found = matching.matching(parse(text, Clock(now=timezone.now())), who)
        wanted = order(sort)
        assert wanted
        places, _ = found.places(wanted, None, 100)
        in_order = [Task.objects.get(pk=place.number).name for place in places]
        assert {place.number for place in places} == set(found.all.values_list("pk", flat=True))
        return in_order

    return names


@pytest.fixture
def tasks(alice: User, bob: User, kinds: dict[str, Kind]) -> dict[str, Task]:
    now = timezone.now()
    long_ago = {"created_at": now - timedelta(days=3), "started_at": now - timedelta(days=3)}
    made = [
        a_task(alice, name="Old fit", kind="demo.coin", status="FINISHED", run_seconds=90.0, value=2.5, **long_ago),
        a_task(alice, name="broken fit", status="FAILED", reason="ERROR", worker="host-a-1", run_seconds=0.5),
        a_task(bob, name="late fit", status="FAILED", reason="TIMEOUT", worker="host-b-1", queue="gpu", priority=20),
        a_task(bob, name="100%", kind="gone.kind", status="CANCELLED"),
        a_task(alice, name="waits", status="QUEUEING", queue="gpu", priority=-5),
    ]
    an_attempt(made[1], error_type="ValueError", error_message="no convergence")
    return {task.name: task for task in made}


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("", "waits, 100%, late fit, broken fit, Old fit"),
        ("status:FAILED", "late fit, broken fit"),
        ("status:FAILED,QUEUEING", "waits, late fit, broken fit"),
        ("-status:FAILED", "waits, 100%, Old fit"),
        ("status:FAILED status:FINISHED", ""),
        ("kind:coin", "Old fit"),
        ("kind:demo", "waits, late fit, broken fit, Old fit"),
        ("kind:gone.kind,demo.coin", "100%, Old fit"),
        ("-kind:demo.noop", "100%, Old fit"),
        ("kind:none", ""),
        ("FIT", "late fit, broken fit, Old fit"),
        ("fit old", "Old fit"),
        ("fit -old", "late fit, broken fit"),
        ("name:old,WAITS", "waits, Old fit"),
        ('"100%"', "100%"),
        ("%", "100%"),
        ("error:convergence", "broken fit"),
        ("error:valueerror,timeout", "late fit, broken fit"),
        ("status:FAILED -error:timeout", "broken fit"),
        ("worker:host-b", "late fit"),
        ("queue:GPU", "waits, late fit"),
        ("queue:gpu -status:QUEUEING", "late fit"),
        ("reason:timeout", "late fit"),
        ("created:1d", "waits, 100%, late fit, broken fit"),
        ("created:>1d", "Old fit"),
        ("-created:1d", "Old fit"),
        ("started:>1d", "Old fit"),
        ("finished:1d", ""),
        ("ran:>1min", "Old fit"),
        ("ran:<=0.5s", "broken fit"),
        ("value:2..3", "Old fit"),
        ("priority:-5,20", "waits, late fit"),
        ("priority:-5..0 -priority:0", "waits"),
        ("priority:>0", "late fit"),
        ("by:Alice", "waits, broken fit, Old fit"),
        ("by:alice,bob status:FAILED", "late fit, broken fit"),
        ("-by:alice", "100%, late fit"),
        ("by:nobody", ""),
        ("number:>0 status:QUEUEING kind:demo", "waits"),
    ],
)
def test_a_search_finds(find: Find, tasks: dict[str, Task], text: str, names: str) -> None:
    assert ", ".join(find(text)) == names


def test_nan_and_infinity_are_found(find: Find, alice: User) -> None:
    for text, value in (("nan", None), ("inf", math.inf), ("-inf", -math.inf), ("5.0", 5.0), ("", None)):
        a_task(alice, name=text or "none", status="FINISHED", value=value, value_text=text)
    assert find("value:NaN") == ["nan"]
    assert find("value:nan,5") == ["5.0", "nan"]
    assert find("value:inf") == find("value:∞") == ["inf"]
    assert find("value:-inf") == find("value:<-1e300") == ["-inf"]
    assert find("value:>=5") == ["5.0", "inf"]
    assert "nan" not in find("-value:nan")


def test_numbers_are_found_too(find: Find, tasks: dict[str, Task]) -> None:
    task = tasks["late fit"]
    assert find(f"number:{task.pk}") == ["late fit"]
    assert "late fit" in find(str(task.pk))
    assert "late fit" in find(f"#{task.pk}")
    assert "late fit" not in find(f"-number:{task.pk}")


def test_me_is_whoever_asks_unless_somebody_bears_the_name(find: Find, tasks: dict[str, Task], bob: User) -> None:
    assert find("by:me", who=bob) == ["100%", "late fit"]
    everybody = User.objects.create_user("carol", is_staff=True)
    a_task(everybody, name="mine")
    assert find("by:Me", who=everybody) == ["mine"]
    assert "mine" not in find("-by:me", who=everybody)
    a_task(User.objects.create_user("ME"), name="hers")
    assert find("by:me", who=everybody) == ["hers"]


@pytest.mark.parametrize(
    "text",
    [
        "ärger", "ÄRGER", "name:ärger", "GROß", "name:(ÄRGER", "worker:tür", "queue:ÜBER", "error:übel", "by:JÖRG",
        "by:jörg", "ärger worker:TÜR -name:ölig",
    ],
)  # fmt: skip
def test_letters_beyond_ascii_are_the_same_too(find: Find, alice: User, tasks: dict[str, Task], text: str) -> None:
    owner = User.objects.create_user("Jörg")
    angry = a_task(owner, name="(Ärger) groß.", status="FAILED", worker="Tür-1", queue="über")
    an_attempt(angry, error_type="E", error_message="ein Übel")
    a_task(alice, name="Arger gros", worker="Tur", queue="übersicht")
    assert find(text) == ["(Ärger) groß."]


def test_nobody_finds_what_is_not_theirs(find: Find, tasks: dict[str, Task], bob: User) -> None:
    assert find("fit", who=bob) == ["late fit"]
    assert find("status:FAILED", who=bob) == ["late fit"]
    assert find("by:alice", who=bob) == []
    assert find("", "name", who=bob) == ["100%", "late fit"]


@pytest.mark.parametrize(
    ("sort", "names"),
    [
        ("created", "Old fit, broken fit, late fit, 100%, waits"),
        ("-kind", "100%, waits, late fit, broken fit, Old fit"),
        ("status", "100%, broken fit, late fit, Old fit, waits"),
        ("-ran", "Old fit, broken fit, waits, 100%, late fit"),
        ("value", "Old fit, broken fit, late fit, 100%, waits"),
        ("-started", "Old fit, waits, 100%, late fit, broken fit"),
        ("finished", "Old fit, broken fit, late fit, 100%, waits"),
        ("-priority", "late fit, 100%, broken fit, Old fit, waits"),
        ("queue", "Old fit, broken fit, 100%, late fit, waits"),
        ("-worker", "late fit, broken fit, waits, 100%, Old fit"),
    ],
)
def test_orders(find: Find, tasks: dict[str, Task], sort: str, names: str) -> None:
    assert ", ".join(find("", sort)) == names


@pytest.mark.parametrize("word", list(ORDERS))
@pytest.mark.parametrize("sign", ["", "-"])
@pytest.mark.parametrize("text", ["", "status:FAILED,FINISHED,CANCELLED", "part"])
def test_pages_follow_each_other_without_a_gap_in_every_order(
    alice: User, sam: User, word: str, sign: str, text: str
) -> None:
    now = timezone.now()
    for n in range(12):
        moments = {"started_at": now - timedelta(seconds=n % 3), "finished_at": now - timedelta(seconds=n % 4)}
        numbers = {"run_seconds": n % 5 / 10, "value": n % 2 / 3}
        status = ("FAILED", "FINISHED", "CANCELLED")[n % 3]
        places = {"queue": f"q{n % 2}", "worker": f"w{n % 3}"}
        some = {**moments, **numbers} if n % 3 else {}
        a_task(alice, name=f"part {n % 4}", kind=f"k{n % 2}", status=status, priority=n % 3 - 1, **some, **places)
    wanted = order(f"{sign}{word}")
    assert wanted
    found = matching.matching(parse(text, Clock(now=now)), sam)
    whole, _ = found.places(wanted, None, 100)
    assert len(whole) == 12
    valued, bare = ([place for place in whole if (place.value is None) is none] for none in (False, True))
    assert whole == [*valued, *bare]
    assert len(bare) == {"created": 12, "started": 4, "finished": 4, "ran": 4, "value": 4}.get(word, 0)
    for half in (valued, bare):
        keys = [(place.value or 0, place.number) for place in half]
        assert keys == sorted(keys, reverse=bool(sign))
    for way, expected in ((wanted, whole), (wanted.turned, whole[::-1])):
        pages: list[Place] = []
        while page := found.places(way, pages[-1] if pages else None, 5)[0]:
            pages += page
            assert wanted.place(wanted.written(page[-1])) == page[-1]
        assert pages == expected
    for begin, end in itertools.combinations(range(12), 2):
        between = wanted.rows(found.all, whole[begin], 100, until=whole[end])
        assert [task.pk for task in between] == [place.number for place in whole[begin + 1 : end]]


def test_what_no_index_answers_is_looked_for_piece_by_piece(
    alice: User, sam: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(matching, "LOOKED_AT", 10)
    numbers = [a_task(alice, name="rare" if n in {3, 17} else "common", status=status(n)).pk for n in range(30)]
    for text in ("rare", "rare status:FAILED,FINISHED"):
        found = matching.matching(parse(text, Clock(now=timezone.now())), sam)
        seen, places, end = [], *found.places(NEWEST_FIRST, None, 50)
        assert places == []
        while end is not None:
            seen += [place.number for place in places]
            places, end = found.places(NEWEST_FIRST, Place(end), 50)
        assert [*seen, *(place.number for place in places)] == [numbers[17], numbers[3]]
        assert found.count(100) == 0
        up, end = found.places(NEWEST_FIRST.turned, Place(numbers[2]), 50)
        assert [place.number for place in up] == [numbers[3]]
        assert end in {numbers[11], numbers[12]}


def test_an_order_without_an_index_has_the_newest_that_match(
    alice: User, sam: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(matching, "SORTED", 6)
    tasks = [a_task(alice, name=f"n{99 - n}", status=status(n)) for n in range(12)]
    by_name = order("name")
    assert by_name
    places, end = matching.matching(parse("", Clock(now=timezone.now())), sam).places(by_name, None, 50)
    assert [place.number for place in places] == [task.pk for task in tasks[6:][::-1]]
    assert end == tasks[6].pk


def test_times_of_creation_lead_to_numbers_among_many(alice: User, sam: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(since, "FEW", 10)
    now = timezone.now()
    for n in range(40):
        a_task(alice, name=f"n{n}", created_at=now - timedelta(hours=40 - n))
    for hours, count in ((0.5, 0), (1.5, 1), (10.5, 10), (99, 40)):
        for text, expected in ((f"created:{hours}h", count), (f"created:>{hours}h", 40 - count)):
            found = matching.matching(parse(text, Clock(now=now)), sam)
            assert found.count(100) == found.all.count() == expected
    assert since._first_since(Task, "created_at", now - timedelta(hours=10)) == Task.objects.get(name="n30").pk


def status(n: int) -> Any:
    return "FAILED" if n % 2 else "FINISHED"
