"""From the page of a task to those beside it in the list that it was opened from, and back to where it stands there."""

import re
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from apps.tasks.models import Task
from tests.tasks.rows import a_task, an_attempt, text_of
from tests.tasks.test_table import numbers

BESIDE = {"prev": None, "next": None}


def links(html: str) -> dict[str, str | None]:
    """The addresses of the tasks beside this one."""
    found = re.findall(r'rel="(prev|next)" data-key="[pn]" href="([^"]+)"', html)
    return {**BESIDE, **{rel: unescape(href) for rel, href in found}}


def opened(client: Client, listed: str) -> tuple[list[int], dict[int, str]]:
    """The tasks of a list, and where its links to them lead."""
    html = text_of(client.get(f"/tasks/?{listed}"))
    hrefs = re.findall(r'class="t-name"><a href="(/tasks/(\d+)/[^"]*)"', html)
    return numbers(html), {int(number): unescape(href) for href, number in hrefs}


@pytest.fixture
def many(alice: User, bob: User) -> list[Task]:
    now = timezone.now()
    tasks = []
    for n in range(24):
        ended = {"status": "FINISHED", "finished_at": now - timedelta(minutes=n % 5), "run_seconds": float(n % 3)}
        more: dict[str, Any] = ended if n % 2 else {"status": "FAILED" if n % 3 else "QUEUEING"}
        tasks.append(a_task(alice, name=f"fit {n % 4}", **more))
        a_task(bob, name=f"fit {n % 4}", **more)
    return tasks


@pytest.mark.parametrize(
    "listed", ["", "sort=created", "sort=-name", "sort=ran", "q=status:FAILED,QUEUEING", "q=fit+3&sort=-finished"]
)
def test_the_links_lead_through_the_list_as_the_table_has_it(web: Client, many: list[Task], listed: str) -> None:
    order, hrefs = opened(web, listed)
    assert len(order) >= 5
    for at in {0, 1, len(order) // 2, len(order) - 2, len(order) - 1}:
        number = order[at]
        beside = links(text_of(web.get(hrefs[number])))
        assert beside["prev"] == (hrefs[order[at - 1]] if at else None)
        assert beside["next"] == (hrefs[order[at + 1]] if at + 1 < len(order) else None)


def test_a_task_that_the_list_has_no_more_has_none_beside_it(web: Client, alice: User, bob: User) -> None:
    for _ in range(3):
        a_task(alice, status="FAILED")
    order, hrefs = opened(web, "q=status:FAILED")
    Task.objects.filter(pk=order[1]).update(status="FINISHED")
    assert links(text_of(web.get(hrefs[order[1]]))) == BESIDE
    assert links(text_of(web.get(hrefs[order[0]])))["next"] == hrefs[order[2]]
    for query in ("", "?q=status:FAILED", "?q=statsu:x&sort=name", "?sort=;drop", "?attempt=1"):
        html = text_of(web.get(f"/tasks/{order[0]}/{query}"))
        assert (links(html) == BESIDE) is (query != "?sort=;drop")
        assert ("Previous, next task" in html) is (query == "?sort=;drop")


def test_what_is_beside_costs_a_few_queries_and_polls_none(
    web: Client, many: list[Task], django_assert_max_num_queries: Any
) -> None:
    _, hrefs = opened(web, "q=kind:demo.noop+status:FINISHED")
    plain, href = f"/tasks/{many[9].pk}/", hrefs[many[9].pk]
    html = text_of(web.get(href))
    poll = unescape(re.findall(r'hx-get="([^"]+changes/[^"]*)"', html)[0])
    assert poll == href.replace("/?", "/changes/?")
    assert "Next</a>" not in text_of(web.get(poll, headers={"HX-Request": "true"})).replace("\n", "")
    assert plain in href
    with django_assert_max_num_queries(19):
        web.get(href)


def test_the_way_back_keeps_search_order_and_place(web: Client, alice: User) -> None:
    tasks = [a_task(alice, name="fit", status="FAILED") for _ in range(130)][::-1]
    order = [task.pk for task in tasks]
    second = f"q=status:FAILED&after={order[49]}"

    def back(listed: str, number: int) -> Any:
        html = text_of(web.get(f"/tasks/{number}/?{listed}&sort=-created"))
        href = unescape(re.findall(r'class="crumbs">\s*<p><a href="([^"]+)"', html)[0])
        return web.get(href)["Location"]

    search = "/tasks/?q=status%3AFAILED"
    assert back("q=status:FAILED", order[3]) == f"{search}#task-{order[3]}"
    assert back(second, order[60]) == f"{search}&after={order[49]}#task-{order[60]}"
    assert back(second, order[20]) == f"{search}#task-{order[20]}"  # went back to the first page by the links
    assert back(second, order[110]) == f"{search}&after={order[85]}#task-{order[110]}"
    Task.objects.filter(pk=order[60]).update(status="FINISHED")
    assert back(second, order[60]) == f"{search}&after={order[49]}#task-{order[60]}"


def test_the_links_of_a_tasks_page_keep_its_list(web: Client, alice: User) -> None:
    an_attempt(task := a_task(alice, status="FINISHED"))
    html = unescape(text_of(web.get(f"/tasks/{task.pk}/?q=kind:noop&sort=-ran&attempt=1")))
    assert f"/tasks/{task.pk}/?attempt=1&q=kind%3Anoop&sort=-ran#output" in html
    assert f'hx-get="/tasks/{task.pk}/changes/?attempt=1&q=kind%3Anoop&sort=-ran"' in html
    assert f'name="next" value="/tasks/{task.pk}/?q=kind%3Anoop&sort=-ran"' in html
    assert f'name="next" value="/tasks/?q=kind%3Anoop&sort=-ran&at={task.pk}"' in html


def test_a_failed_task_leads_to_those_with_its_cause(web: Client, alice: User, bob: User) -> None:
    cause = "0123456789abcdef"
    task, *_ = [a_task(owner, status="FAILED", cause=cause) for owner in (alice, bob)]
    an_attempt(task)
    link = f'<a href="/failures/{cause}/">'
    assert f"{link}The only one with this cause</a>" in text_of(web.get(f"/tasks/{task.pk}/"))
    a_task(alice, status="FAILED", cause=cause)
    assert f"{link}One of 2 with this cause</a>" in text_of(web.get(f"/tasks/{task.pk}/"))
    an_attempt(plain := a_task(alice, status="FAILED"))
    assert "with this cause" not in text_of(web.get(f"/tasks/{plain.pk}/"))
