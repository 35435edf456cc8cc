"""Forms that an address fills in: a link, or another task that is to be run again with its input edited."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from django.utils.html import escape

from apps.queues.models import Worker
from apps.tasks.models import Kind, Task
from tests.tasks.rows import a_task, text_of
from tests.tasks.type_cases import Colour, Plate, a_handler, announced

SPEED = {"type": "integer", "minimum": 1, "default": 5}
NEW: dict[str, Any] = {"properties": {"speed": SPEED}, "required": [], "additionalProperties": False}


def page(web: Client, address: str) -> str:
    response = web.get(address)
    assert response.status_code == 200
    return text_of(response)


def boxes_ticked(html: str) -> int:
    return html.split('id="params"')[1].count(" checked")


def link(kinds: dict[str, Kind], query: str) -> str:
    return f"/tasks/new/?kind={next(iter(kinds))}&{query}"


def a_worker(**fields: Any) -> Worker:
    now = timezone.now()
    given = {"host": "h", "pid": 1, "queues": ["default"], "concurrency": 1, "started_at": now, "last_seen_at": now}
    return Worker.objects.create(**{"name": "w1", **given, **fields})


def test_a_link_fills_in_name_options_and_nested_parameters(web: Client) -> None:
    html = page(
        web,
        link(
            announced(a_handler(Plate | None, None)),
            "name=fit&p.x.material=brass&p.x.holes=1&p.x.holes=2&max_attempts=3",
        ),
    )
    assert 'value="fit"' in html
    assert "selected>brass</option>" in html
    assert "\n1\n2</textarea>" in html
    assert 'name="p.x" id="id_p.x" checked' in html.replace(' aria-describedby="id_p.x_helptext"', "")
    assert 'id="options" class="folded" open' in html
    assert "errorlist" not in html


def test_a_link_ticks_the_boxes_that_it_repeats(web: Client) -> None:
    kinds = announced(a_handler(list[Colour], [Colour.RED]))
    assert boxes_ticked(page(web, link(kinds, "p.x=blue&p.x=red"))) == 2
    assert boxes_ticked(page(web, link(kinds, "p.x="))) == 0
    assert boxes_ticked(page(web, link(kinds, "name=n"))) == 1


@pytest.mark.parametrize(("text", "ticked"), [("true", True), ("1", True), ("off", False), ("", False)])
def test_a_link_says_true_or_false_of_a_box(web: Client, text: str, ticked: bool) -> None:
    assert boxes_ticked(page(web, link(announced(a_handler(bool, not ticked)), f"p.x={text}"))) == ticked


@pytest.mark.parametrize(
    ("annotation", "query", "shown", "sentence"),
    [
        (int, "p.x=abc", 'type="text" name="p.x" value="abc"', 'Must be a whole number, such as 42 (it is "abc").'),
        (bool, "p.x=banana", "checked", 'Must be true or false (it is "banana").'),
        (Colour, "p.x=pink", "pink (not a choice)", 'Must be one of red, blue (it is "pink").'),
        (list[Colour], "p.x=pink", "pink (not a choice)", "Must be one of red, blue"),
        (list[int], "p.x=1&p.x=b", "\n1\nb</textarea>", "Item 2: Must be a whole number"),
        (list[int], "p.x=[1,", "\n[1,</textarea>", "Not JSON:"),
        (Plate, "p.x.thickness=thin", 'value="thin"', "Must be a finite number"),
        (Plate, "p.x.gone=5", 'name="p.x.gone" value="5"', "There is no parameter 'x.gone' any more"),
        (int, "p.gone=5", 'name="p.gone" value="5"', "There is no parameter 'gone' any more"),
        (int, "p.=5", 'name="p."', "There is no parameter '' any more"),
        (int, "p.x=1&p.x.y.z=5", 'name="p.x.y.z"', "There is no parameter 'x.y.z' any more"),
        (int, "timeout_seconds=soon", 'value="soon"', "Must be a finite number"),
        (int, "run_at=tomorrow", 'value="tomorrow"', "Not a date and time"),
        (int, "name=%00", "", "Not valid Unicode"),
        (int, "p.x=%00", "", "Must be a whole number"),
    ],
)
def test_what_is_wrong_in_a_link_is_shown_and_told(
    web: Client, annotation: Any, query: str, shown: str, sentence: str
) -> None:
    html = page(web, link(announced(a_handler(annotation)), query))
    assert escape(sentence) in html
    assert shown in html


def test_a_link_is_not_blamed_for_what_it_leaves_open(web: Client) -> None:
    assert "errorlist" not in page(web, link(announced(a_handler(int)), "name=fit"))
    assert "errorlist" not in page(web, "/tasks/new/?kind=demo.coin")


def test_a_link_to_a_kind_that_there_is_not_says_so_and_keeps_the_rest(web: Client) -> None:
    html = page(web, "/tasks/new/?kind=gone&name=fit&p.speed=3")
    assert "gone (there is no such kind)" in html
    assert escape("There is no kind 'gone'. Kinds: demo.coin, demo.noop.") in html
    assert 'name="p.speed" value="3"' in html


# Edit and run again


def test_a_task_is_edited_and_run_again(web: Client, alice: User) -> None:
    kinds = announced(handler := a_handler(Plate))
    params = {"x": {"material": "brass", "thickness": 3.5, "holes": [7, 8]}}
    task = a_task(alice, kind=handler.name, params=params, name="first try", max_attempts=4)
    assert f'href="/tasks/new/?from={task.pk}"' in page(web, f"/tasks/{task.pk}/")
    html = page(web, f"/tasks/new/?from={task.pk}")
    for shown in ('value="first try"', 'value="3.5"', "selected>brass", "\n7\n8</textarea>", 'value="4"'):
        assert shown in html
    assert "errorlist" not in html
    assert kinds


def test_the_selected_task_is_opened_in_the_form(web: Client, alice: User) -> None:
    one, other = a_task(alice), a_task(alice)
    response = web.post("/tasks/again/", {"number": one.pk})
    assert (response.status_code, response["Location"]) == (302, f"/tasks/new/?from={one.pk}")
    htmx = web.post("/tasks/again/", {"number": one.pk}, headers={"HX-Request": "true"})
    assert htmx["HX-Redirect"] == f"/tasks/new/?from={one.pk}"
    both = web.post("/tasks/again/", {"number": [one.pk, other.pk]})
    assert (both.status_code, "Choose one task" in text_of(both)) == (422, True)
    assert web.post("/tasks/again/", {"number": "x"}).status_code == 422


def test_a_parameter_that_the_kind_no_longer_has_is_told(web: Client, alice: User) -> None:
    Kind.objects.create(name="tool", schema=NEW, announced_at=timezone.now())
    task = a_task(alice, kind="tool", params={"speed": "fast", "colour": {"r": 1}})
    html = page(web, f"/tasks/new/?from={task.pk}")
    assert 'name="p.speed" value="fast"' in html
    assert escape('Must be a whole number, such as 42 (it is "fast").') in html
    assert escape("There is no parameter 'colour' any more: empty this to go on.") in html
    assert escape('{"r": 1}') in html
    posted = {"name": "n", "kind": "tool", "shown": "tool", "p.speed": "2", "p.colour": ""}
    assert web.post("/tasks/new/", posted).status_code == 302
    assert Task.objects.get(name="n").params == {"speed": 2}


def test_a_parameter_that_is_a_model_by_now_is_shown_as_it_was(web: Client, alice: User) -> None:
    announced(handler := a_handler(Plate))
    for old in (5, [1], {"weight": 3}):
        html = page(web, f"/tasks/new/?from={a_task(alice, kind=handler.name, params={'x': old}).pk}")
        assert '<textarea name="p.x"' in html
        assert "errorlist" in html


def test_a_task_of_a_kind_that_there_is_no_more_says_so(web: Client, alice: User) -> None:
    html = page(web, f"/tasks/new/?from={a_task(alice, kind='gone', params={'x': [1]}).pk}")
    assert escape("There is no kind 'gone'") in html
    assert 'name="p.x" value="[1]"' in html


# Kinds that nobody serves


def test_a_kind_that_no_worker_serves_is_told_and_can_be_chosen(web: Client) -> None:
    a_worker(kinds=["demo.coin"])  # which waits in another queue than this worker serves
    a_worker(name="w2", kinds=["demo.noop"], last_seen_at=timezone.now() - timedelta(minutes=1))
    html = page(web, "/tasks/new/?kind=demo.coin")
    assert "demo.coin (no worker serves it now)" in html
    assert "demo.noop (no worker serves it now)" in html
    assert "No worker serves demo.coin now: a task of it waits until one does." in html
    assert web.post("/tasks/new/", {"name": "n", "kind": "demo.noop"}).status_code == 302


def test_a_kind_that_a_worker_serves_is_nothing_to_speak_of(web: Client) -> None:
    a_worker(kinds=["demo.coin", "demo.noop"], queues=["coins", "default"])
    assert "no worker serves" not in page(web, "/tasks/new/?kind=demo.coin").lower()


def test_a_worker_that_said_goodbye_serves_nothing(web: Client) -> None:
    a_worker(kinds=["demo.noop"], left_at=timezone.now())
    assert "No worker serves demo.noop now" in page(web, "/tasks/new/?kind=demo.noop")


# The documentation of a kind


def test_a_kinds_documentation_begins_with_its_summary(web: Client) -> None:
    Kind.objects.filter(name="demo.noop").update(doc="Returns `x`.\n\nAnd <b>nothing</b> else.")
    html = page(web, "/tasks/new/?kind=demo.noop")
    assert '<p class="doc-summary">Returns <code>x</code>.</p>' in html
    assert "<p>And &lt;b&gt;nothing&lt;/b&gt; else.</p>" in html
