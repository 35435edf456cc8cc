"""The table in a real browser: it lives by itself and does not disturb the person before it."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from apps.tasks.clock import tick
from apps.tasks.models import Task

Open = Callable[[str], Page]
Make = Callable[..., Task]


def change(task: Task, **fields: Any) -> None:
    Task.objects.filter(pk=task.pk).update(**fields)
    tick()


def chip(page: Page, task: Task) -> Any:
    return page.locator(f"#task-{task.pk} .chip")


def test_a_task_is_seen_from_queueing_to_finished_without_a_reload(opened: Open, make: Make) -> None:
    task = make()
    page = opened("/tasks/")
    page.evaluate("window.same = true")
    expect(chip(page, task)).to_have_text("Queueing")
    change(task, status="RUNNING", worker="w1", started_at=timezone.now())
    expect(chip(page, task)).to_have_text("Running")
    change(task, status="FINISHED", value_text="0.123456789", finished_at=timezone.now())
    expect(chip(page, task)).to_have_text("Finished")
    expect(page.locator(f"#task-{task.pk} .t-value")).to_have_text("0.1235")
    expect(page.locator(f"#task-{task.pk} .t-value span")).to_have_attribute("title", "0.123456789")
    expect(page.locator("#counts")).to_contain_text("Finished 1")
    assert page.evaluate("window.same")


def test_a_task_from_elsewhere_appears_by_itself(opened: Open, make: Make) -> None:
    page = opened("/tasks/")
    expect(page.locator("#table")).to_contain_text("No tasks yet")
    make(name="from elsewhere", status="FINISHED")
    expect(page.locator("tbody")).to_contain_text("from elsewhere")
    make(name="the next one", status="FINISHED")
    expect(page.locator("tbody tr").first).to_contain_text("the next one")


def test_changes_keep_selection_focus_scroll_and_marked_text(opened: Open, make: Make) -> None:
    tasks = [make(name=f"task {n}") for n in range(50)]
    page = opened("/tasks/")
    ticked = page.locator(f"#task-{tasks[30].pk} input")
    ticked.check()
    page.locator(f"#task-{tasks[20].pk} a").focus()
    page.evaluate(
        """number => getSelection().selectAllChildren(document.querySelector(`#task-${number} .t-kind`))""",
        tasks[21].pk,
    )
    page.evaluate("scrollTo(0, 300)")
    at = page.evaluate("scrollY")
    for task in (tasks[20], tasks[21], tasks[30]):
        change(task, status="FINISHED", value_text="1.5")
    for task in (tasks[20], tasks[21], tasks[30]):
        expect(chip(page, task)).to_have_text("Finished")
    expect(ticked).to_be_checked()
    expect(page.locator(f"#task-{tasks[20].pk} a")).to_be_focused()
    assert page.evaluate("getSelection().toString().trim()") == "demo.noop"
    assert page.evaluate("scrollY") == at


def test_new_tasks_announce_themselves_to_a_reader_who_has_selected(opened: Open, make: Make) -> None:
    first = make(name="first")
    page = opened("/tasks/")
    page.locator(f"#task-{first.pk} input").check()
    make(name="second")
    make(name="third")
    expect(page.locator("#news")).to_have_text("2 new tasks")
    expect(page.locator("tbody tr")).to_have_count(1)
    page.locator("#news a").click()
    expect(page.locator("tbody tr")).to_have_count(3)
    expect(page.locator("#news")).to_be_empty()
    expect(page.locator(f"#task-{first.pk} input")).to_be_checked()


def test_a_name_with_markup_does_nothing(opened: Open, make: Make) -> None:
    task = make(name="<img src=/x onerror=window.broken=1><b hx-get=/y hx-trigger=load>{{7*7}}</b>")
    page = opened("/tasks/")
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    change(task, status="FINISHED", value_text="1.0")
    expect(chip(page, task)).to_have_text("Finished")
    expect(page.locator(f"#task-{task.pk} .t-name")).to_contain_text("<b hx-get=/y")
    assert not page.evaluate("window.broken")
    assert all("/tasks/" in url for url in requests)


def test_selected_tasks_are_deleted_after_a_question(opened: Open, make: Make) -> None:
    kept, gone, running = make(name="kept"), make(name="gone"), make(name="busy", status="RUNNING", worker="w1")
    page = opened("/tasks/")
    delete = page.locator("#delete")
    expect(delete).to_be_disabled()
    page.locator(f"#task-{gone.pk} input").check()
    page.locator(f"#task-{running.pk} input").check()
    expect(delete).to_contain_text("2")
    delete.click()
    expect(page.locator("#confirm")).to_contain_text("Delete the 2 selected tasks?")
    page.get_by_role("button", name="Keep").click()
    assert Task.objects.count() == 3
    delete.click()
    page.locator("#confirm").get_by_role("button", name="Delete").click()
    expect(page.locator(f"#task-{gone.pk}")).to_have_count(0)
    expect(page.locator("#toasts")).to_contain_text("1 task deleted.")
    expect(page.locator("#toasts")).to_contain_text(f"Task {running.pk} is running")
    expect(page.locator(f"#task-{kept.pk}")).to_be_visible()
    page.locator(f"#task-{running.pk} input").uncheck()
    expect(delete).to_be_disabled()


def test_the_head_box_selects_the_page_and_shift_a_range(opened: Open, make: Make) -> None:
    for _ in range(6):
        make()
    page = opened("/tasks/")
    page.locator("#all").check()
    expect(page.locator("tbody input:checked")).to_have_count(6)
    page.locator("#all").uncheck()
    boxes = page.locator("tbody input")
    boxes.nth(1).click()
    boxes.nth(4).click(modifiers=["Shift"])
    expect(page.locator("tbody input:checked")).to_have_count(4)
    page.keyboard.press("Escape")
    expect(page.locator("tbody input:checked")).to_have_count(0)


def test_keys_move_select_and_open(opened: Open, make: Make) -> None:
    older, newer = make(name="older"), make(name="newer")
    page = opened("/tasks/")
    page.keyboard.press("j")
    expect(page.locator(f"#task-{newer.pk} a")).to_be_focused()
    page.keyboard.press("j")
    page.keyboard.press("x")
    expect(page.locator(f"#task-{older.pk} input")).to_be_checked()
    page.keyboard.press("k")
    page.keyboard.press("?")
    expect(page.locator("#help")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("newer")


def test_times_move_by_themselves(opened: Open, make: Make) -> None:
    task = make()
    page = opened("/tasks/")
    shown = page.locator(f"#task-{task.pk} time").last
    before = shown.inner_text()
    expect(shown).not_to_have_text(before)
    expect(shown).to_have_text(re.compile(r"^\d+ s ago$"))


def test_a_server_that_is_away_is_said_quietly(opened: Open, make: Make) -> None:
    task = make()
    page = opened("/tasks/")
    page.route("**/tasks/changes/**", lambda route: route.fulfill(status=503, body="busy"))
    expect(page.locator("#away")).to_be_visible()
    expect(page.locator(f"#task-{task.pk}")).to_be_visible()
    page.unroute_all()
    expect(page.locator("#away")).to_be_hidden()


def test_an_ended_session_leads_to_sign_in_and_back(opened: Open, make: Make) -> None:
    make()
    page = opened("/tasks/?status=QUEUEING")
    page.context.clear_cookies()
    page.wait_for_url("**/login/?next=/tasks/%3Fstatus%3DQUEUEING")
    expect(page.locator("h1")).to_contain_text("Sign in")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_theme_is_remembered(opened: Open, scheme: str) -> None:
    page = opened("/tasks/")
    page.locator(".menu summary").click()
    page.get_by_label(scheme.title(), exact=True).check()
    page.reload()
    assert page.evaluate("getComputedStyle(document.documentElement).colorScheme") == scheme
