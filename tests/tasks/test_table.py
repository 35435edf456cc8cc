"""The page of the table: searching, ordering, what is shown, and that nothing typed into an address makes an error."""

import re
from html import unescape
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from apps.queues.models import Queue
from apps.tasks import matching
from apps.tasks.models import TableLook
from tests.tasks.rows import a_task, text_of

HTMX = {"HX-Request": "true"}


def numbers(html: str) -> list[int]:
    return [int(number) for number in re.findall(r'<tr id="task-(\d+)"', html)]


def said(html: str) -> str:
    """What stands under the box, without its markup."""
    part = html.partition('id="search-said"')[2].partition("</p>")[0].partition(">")[2]
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", part)).split())


def test_a_search_shows_what_it_finds_and_how_many(web: Client, alice: User) -> None:
    fit, _ = a_task(alice, name="fit <b>"), a_task(alice, name="sim")
    html = text_of(web.get("/tasks/", {"q": "fit <b>"}))
    assert numbers(html) == [fit.pk]
    assert 'value="fit &lt;b&gt;"' in html
    assert said(html) == "1 task matches · Show all"
    assert "No task matches" in text_of(web.get("/tasks/", {"q": "none"}))


@pytest.mark.parametrize("sort", ["", "-ran", "number"])
def test_a_count_of_the_newest_only_says_so(
    web: Client, alice: User, monkeypatch: pytest.MonkeyPatch, sort: str
) -> None:
    for _ in range(4):
        a_task(alice, name="fit")
    for looked_at, told in (
        (3, "3 tasks match of the newest 3"),
        (5, "4 tasks match"),
    ):
        monkeypatch.setattr(matching, "LOOKED_AT", looked_at)
        assert said(text_of(web.get("/tasks/", {"q": "fit", "sort": sort}))) == f"{told} · Show all"


def test_a_mistake_stands_under_the_box_with_what_was_typed(web: Client, alice: User) -> None:
    a_task(alice)
    html = text_of(web.get("/tasks/", {"q": 'statsu:"x'}))
    assert 'value="statsu:&quot;x"' in html
    assert "There is no field “statsu”. Known: status, kind," in html
    assert "All tasks are shown." in html
    assert len(numbers(html)) == 1


def test_a_search_while_typing_brings_the_parts_and_the_address(web: Client, alice: User) -> None:
    task = a_task(alice, status="FAILED")
    response = web.get("/tasks/", {"q": " status:failed "}, headers=HTMX)
    html = text_of(response)
    targets = re.findall(r'hx-target="([^"]+)"', html)
    assert targets == ["#search-said", "#counts", "#news", "#table", "#live"]
    assert numbers(html) == [task.pk]
    assert response["X-Address"] == "/tasks/?q=status%3Afailed"
    assert "/tasks/changes/?q=status%3Afailed" in html
    assert "HX-Request" in response["Vary"]


def test_a_mistake_while_typing_leaves_the_table_alone(web: Client, alice: User) -> None:
    a_task(alice)
    response = web.get("/tasks/", {"q": "status:"}, headers=HTMX)
    html = text_of(response)
    assert re.findall(r'hx-target="([^"]+)"', html) == ["#search-said"]
    assert "“status:” needs a value" in html
    assert "All tasks are shown" not in html
    assert "X-Address" not in response


def test_links_of_old_find_their_status(web: Client, alice: User) -> None:
    failed, _ = a_task(alice, status="FAILED"), a_task(alice)
    html = text_of(web.get("/tasks/?status=FAILED"))
    assert numbers(html) == [failed.pk]
    assert 'value="status:FAILED"' in html


def test_the_counts_keep_what_else_is_searched_for(web: Client, alice: User) -> None:
    a_task(alice, status="FAILED")
    html = text_of(web.get("/tasks/?q=kind:noop+status:FAILED&sort=name"))
    assert 'href="/tasks/?q=status%3AFINISHED+kind%3Anoop&amp;sort=name"' in html
    assert re.search(
        r'<a href="/tasks/\?q=status%3AFAILED\+kind%3Anoop&amp;sort=name" class="is-failed" aria-current', html
    )
    assert '<a href="/tasks/?q=kind%3Anoop&amp;sort=name"' in html


def test_heads_order_the_table_and_say_so(web: Client, alice: User) -> None:
    names = [a_task(alice, name=name).pk for name in "bca"]
    html = text_of(web.get("/tasks/"))
    assert re.search(r'class="t-created" aria-sort="descending"><a href="\?sort=created">', html)
    assert '<a href="?sort=name">Name</a>' in html
    assert '<th scope="col" class="t-id" ><a href="?sort=created">ID</a>' in html
    html = text_of(web.get("/tasks/?sort=created"))
    assert '<a href="?">ID</a>' in html
    assert html.count("aria-sort") == 1
    html = text_of(web.get("/tasks/?sort=name"))
    assert numbers(html) == [names[2], names[0], names[1]]
    assert re.search(r'class="t-name" aria-sort="ascending"><a href="\?sort=-name">', html)
    assert html.count("aria-sort") == 1
    assert "/tasks/changes/?sort=name" in html


def test_pages_of_another_order_follow_each_other(web: Client, alice: User) -> None:
    for n in range(120):
        a_task(alice, name=f"n{n % 7}~{n:03}")
    seen, address = [], "?sort=-name"
    while address:
        html = text_of(web.get(f"/tasks/{address}"))
        seen += numbers(html)
        link = re.search(r'rel="next" href="([^"]+)"', html)
        back = re.search(r'rel="prev" href="([^"]+)"', html)
        address = unescape(link[1]) if link else ""
    assert len(seen) == len(set(seen)) == 120
    assert re.findall(r"(?:</span>|>)(First|Previous|Next)<", html) == ["First", "Previous", "Next"]
    assert back
    assert numbers(text_of(web.get(f"/tasks/{unescape(back[1])}"))) == seen[50:100]


@pytest.mark.parametrize("sort", ["value", "-value"])
def test_tasks_without_a_value_stand_behind_the_others(web: Client, alice: User, sort: str) -> None:
    waiting = [a_task(alice, status="FAILED").pk for _ in range(70)]
    valued = [a_task(alice, status="FAILED", value=n / 7).pk for n in range(10)]
    order = [*valued, *waiting] if sort == "value" else [*valued[::-1], *waiting[::-1]]
    html = text_of(web.get(f"/tasks/?q=status:FAILED&sort={sort}"))
    assert numbers(html) == order[:50]
    older = re.search(r'rel="next" href="([^"]+)"', html)
    assert older
    html = text_of(web.get(f"/tasks/{unescape(older[1])}"))
    assert numbers(html) == order[50:]
    newer = re.search(r'rel="prev" href="([^"]+)"', html)
    assert newer
    assert numbers(text_of(web.get(f"/tasks/{unescape(newer[1])}"))) == order[:50]


def test_how_far_it_was_looked_stands_there(web: Client, alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    rare = a_task(alice, name="rare")
    for _ in range(12):
        a_task(alice, name="common")
    monkeypatch.setattr(matching, "LOOKED_AT", 10)
    html = text_of(web.get("/tasks/?q=rare"))
    assert numbers(html) == []
    assert f"as far as number {rare.pk + 3}." in html
    further = re.search(r'<a href="([^"]+)">Look further', html)
    assert further
    assert numbers(text_of(web.get(f"/tasks/{unescape(further[1])}"))) == [rare.pk]
    monkeypatch.setattr(matching, "SORTED", 10)
    assert f"those from number {rare.pk + 3} on" in text_of(web.get("/tasks/?sort=name"))


def test_the_input_is_seen_in_a_column_that_can_be_chosen(web: Client, alice: User) -> None:
    for params in (
        {"code": "import math\n\nmath.pi * 2\n"},
        {"a": "Zoë <b>", "b": 3},
        {},
        {"code": {"a": 1}},
        {"text": "x" * 5_000, "code": ""},
    ):
        a_task(alice, params=params)
    web.post("/tasks/look/", {"column": ["input"]})
    shown = [unescape(cell) for cell in re.findall(r'<td class="t-input">(.*?)</td>', text_of(web.get("/tasks/")))]
    long, *others = shown
    assert long.startswith('{"')
    assert len(long) <= 80
    assert others[0] in ('{"a": 1}', '{"a":1}')
    assert others[1:] == ["\N{EN DASH}", '{"a": "Zoë <b>", "b": 3}', "import math math.pi * 2"]


def test_rows_and_columns_are_remembered_for_the_person(web: Client, alice: User, bob: User) -> None:
    a_task(alice, queue="gpu", worker="w9", run_seconds=1.5, priority=-42)
    chosen: dict[str, Any] = {
        "density": "dense",
        "column": ["id", "queue", "ran", "priority", "by", "nonsense"],
        "next": "/tasks/?q=a",
    }
    assert re.search(r'value="queue"\s*>', text_of(web.get("/tasks/look/")))
    assert web.post("/tasks/look/", chosen)["Location"] == "/tasks/?q=a"
    elsewhere = Client()
    elsewhere.force_login(alice)
    assert re.search(r'value="queue" checked\s*>', text_of(elsewhere.get("/tasks/look/", headers=HTMX)))
    html = text_of(elsewhere.get("/tasks/"))
    assert "is-dense" in html
    assert '<td class="t-priority">-42</td>' in html
    assert re.findall(r'<th scope="col" class="(t-\w+)"', html) == [
        "t-select",
        "t-id",
        "t-name",
        "t-queue",
        "t-priority",
        "t-by",
        "t-ran",
        "t-status",
    ]
    assert '<a href="?sort=queue">Queue</a>' in html
    for cell in ('"t-queue">gpu', '"t-by">alice', '"t-ran">1.50 s'):
        assert cell in html
    assert "columns=id%2Cname%2Cqueue%2Cpriority%2Cby%2Cran%2Cstatus" in html
    web.force_login(bob)
    assert "is-usual" in text_of(web.get("/tasks/"))
    elsewhere.post("/tasks/look/", {"usual": "1", "density": "roomy", "column": "queue"})
    assert (TableLook.objects.get().density, TableLook.objects.get().columns) == ("roomy", [])


@pytest.mark.parametrize(
    ("text", "at", "words"),
    [
        ("", 0, "status kind name queue worker error created ran"),
        ("sta", 3, "status started"),
        ("-sta", 4, "status started"),
        ("status:f", 8, "FINISHED FAILED"),
        ("status:FAILED,run", 17, "RUNNING"),
        ("status:FAILED", 13, ""),
        ("x kind:COIN y", 11, "demo.coin"),
        ("queue:", 6, "gpu odd one"),
        ("by:", 3, "me alice"),
        ("name:x", 6, ""),
        ("nothing:x", 9, ""),
    ],
)
def test_what_may_stand_there_is_offered(web: Client, bob: User, text: str, at: int, words: str) -> None:
    Queue.objects.bulk_create([Queue(name="gpu"), Queue(name="odd one")])
    html = text_of(web.get("/tasks/completions/", {"q": text, "at": str(at)}))
    assert " ".join(re.findall(r"<b>([^<]*)</b>", html)) == words


def test_a_completion_leaves_the_rest_as_it_is(web: Client, db: None) -> None:
    Queue.objects.create(name="odd one")
    html = unescape(text_of(web.get("/tasks/completions/", {"q": "a -queue:x,o b", "at": "12"})))
    assert 'data-text="a -queue:x,"odd one" b" data-caret="21"' in html


@pytest.mark.parametrize("address", ["", "completions/", "changes/"])
@pytest.mark.parametrize(
    "query",
    [
        {"q": "x" * 5_000}, {"q": "\0"}, {"q": "created:>9999999w"}, {"q": "number:99999999999999999999"},
        {"q": "number:>1e300"}, {"q": "number:0.5"}, {"q": "value:1e308"}, {"q": "ran:>99999999d"}, {"q": "by:\u0130"},
        {"q": "9" * 30},
        {"sort": "nonsense"}, {"sort": "--name"}, {"sort": "name", "after": "1~\0"}, {"sort": "name", "after": "1"},
        {"sort": "ran", "after": "1~nan"}, {"sort": "finished", "after": "1~2026-01-01"}, {"after": "1~x"},
        {"sort": "finished", "after": "1~0001-01-01T00:00:00+14:00"}, {"sort": "value", "before": "1~inf"},
        {"columns": "nonsense,\0"}, {"at": "-1", "q": "s"}, {"at": "99999999999999999999", "q": "s"},
    ],
)  # fmt: skip
def test_no_search_and_no_order_makes_an_error(web: Client, alice: User, address: str, query: dict[str, Any]) -> None:
    a_task(alice)
    assert web.get(f"/tasks/{address}", query).status_code == 200


@pytest.mark.parametrize("zone", ["Europe%2FBerlin", "../../etc/passwd", "%00", "x" * 5000, "/etc/passwd", "Europe"])
def test_the_readers_zone_may_be_anything(web: Client, zone: str) -> None:
    web.cookies["millrace_zone"] = zone
    assert web.get("/tasks/?q=created:today").status_code == 200
