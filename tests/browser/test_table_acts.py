"""What is selected in the table, and what is done with it."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.contrib.auth.models import Group, User
from django.utils import timezone
from playwright.sync_api import Page, expect

from apps.tasks import sweeps
from apps.tasks.models import Task
from tests.browser.rows import change, chip

Open = Callable[[str], Page]
Make = Callable[..., Task]


def test_the_act_bar_stays_in_view(opened: Open, console: Page, make: Make) -> None:
    console.set_viewport_size({"width": 360, "height": 640})
    tasks = [make(name=f"task {n}") for n in range(50)]
    page = opened("/tasks/")
    page.locator(f"#task-{tasks[9].pk} input").check()
    make(name="newer")
    expect(page.locator("#news a")).to_be_in_viewport(ratio=1)
    expect(page.locator("#delete")).to_be_in_viewport(ratio=1)
    page.set_viewport_size({"width": 1280, "height": 640})
    expect(page.locator("#news a")).to_be_in_viewport()
    expect(page.locator("thead th").first).to_be_in_viewport()


@pytest.mark.parametrize("width", [360, 1280])
def test_who_may_only_look_selects_nothing(opened: Open, console: Page, make: Make, alice: User, width: int) -> None:
    task = make()
    User.objects.filter(pk=alice.pk).update(is_staff=False)
    alice.groups.set(Group.objects.filter(name="Viewer"))
    console.set_viewport_size({"width": width, "height": 640})
    page = opened("/tasks/")
    expect(page.locator(f"#task-{task.pk}")).to_be_visible()
    expect(page.locator("#tasks-form input:visible")).to_have_count(0)
    page.keyboard.press("j")
    page.keyboard.press("x")
    expect(page.locator(f"#task-{task.pk} a")).to_be_focused()
    expect(page.locator("#tasks-form :checked")).to_have_count(0)
    page.keyboard.press("?")
    expect(page.locator("#help")).to_contain_text("Open the task")
    expect(page.locator("#help")).not_to_contain_text("Select")
    page.keyboard.press("Escape")


def test_the_focus_goes_on_to_the_next_row_after_a_delete(opened: Open, make: Make) -> None:
    older, gone = make(name="older"), make(name="gone")
    page = opened("/tasks/")
    for task, then in ((gone, page.locator(f"#task-{older.pk} a")), (older, page.locator("#main"))):
        page.locator(f"#task-{task.pk} input").check()
        page.locator("#delete").press("Enter")
        page.locator("#confirm").get_by_role("button", name="Delete").click()
        expect(page.locator(f"#task-{task.pk}")).to_have_count(0)
        expect(then).to_be_focused()


def test_an_empty_table_has_nothing_to_delete(opened: Open) -> None:
    expect(opened("/tasks/").locator("#delete")).to_be_hidden()


def test_a_narrow_table_keeps_its_headers_and_selects_all(opened: Open, console: Page, make: Make) -> None:
    console.set_viewport_size({"width": 640, "height": 740})
    for _ in range(3):
        make()
    page = opened("/tasks/")
    expect(page.get_by_role("columnheader", name="Kind")).to_be_attached()
    page.get_by_label("Select all", exact=True).check()
    expect(page.locator("tbody input:checked")).to_have_count(3)


def test_selected_tasks_are_deleted_after_a_question(opened: Open, make: Make) -> None:
    kept, gone, running = make(name="kept"), make(name="gone"), make(name="busy", status="RUNNING", worker="w1")
    page = opened("/tasks/")
    delete = page.locator("#delete")
    expect(delete).to_be_disabled()
    page.locator(f"#task-{gone.pk} input").check()
    page.locator(f"#task-{running.pk} input").check()
    expect(page.locator("#chosen")).to_have_text("2")
    delete.click()
    expect(page.locator("#confirm")).to_contain_text("Delete 2 tasks?")
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


def test_the_selected_are_cancelled_after_a_question_and_retried_without(opened: Open, make: Make) -> None:
    running, waiting = make(status="RUNNING", worker="w1"), make()
    page = opened("/tasks/")
    for act in ("Retry", "Cancel", "Delete"):
        expect(page.get_by_role("button", name=act)).to_be_disabled()
    for task in (running, waiting):
        page.locator(f"#task-{task.pk} input").check()
    page.locator("#cancel").click()
    expect(page.locator("#confirm")).to_contain_text("Cancel 2 tasks?")
    expect(page.locator("#confirm")).to_contain_text("what runs is killed at once")
    page.get_by_role("button", name="Cancel 2 tasks").click()
    expect(page.locator("#toasts")).to_contain_text("2 tasks cancelled.")
    for task in (running, waiting):
        expect(chip(page, task)).to_have_text("Cancelled")
    page.locator("#retry").click()
    expect(page.locator("#toasts")).to_contain_text("2 tasks retried.")
    for task in (running, waiting):
        expect(chip(page, task)).to_have_text("Queueing")


def test_r_retries_the_focused_task_or_the_selected_ones(opened: Open, make: Make) -> None:
    _, second, first = (make(status="FAILED") for _ in range(3))
    page = opened("/tasks/")
    page.keyboard.press("r")
    page.keyboard.press("j")
    page.keyboard.press("r")
    expect(chip(page, first)).to_have_text("Queueing")
    expect(page.locator(f"#task-{first.pk} a")).to_be_focused()
    expect(chip(page, second)).to_have_text("Failed")
    page.keyboard.press("j")
    page.keyboard.press("x")
    page.keyboard.press("j")
    page.keyboard.press("r")
    expect(chip(page, second)).to_have_text("Queueing")
    expect(page.locator("#toasts .success")).to_have_count(2)
    assert list(Task.objects.values_list("attempt", flat=True)) == [2, 2, 1]


def test_enter_on_a_box_opens_its_task_and_acts_on_nothing(opened: Open, make: Make) -> None:
    task = make(name="failed", status="FAILED")
    page = opened("/tasks/")
    page.get_by_label("Select all on this page").check()
    page.keyboard.press("Enter")
    page.locator(f"#task-{task.pk} input").focus()
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("failed")
    task.refresh_from_db()
    assert task.status == "FAILED"


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


def test_yesterdays_failed_fits_are_found_and_retried_all(opened: Open, make: Make, kinds: None, alice: User) -> None:
    yesterday = timezone.now() - timedelta(days=1)
    fields = {"created_by": alice, "status": "FAILED", "kind": "demo.noop", "created_at": yesterday}
    Task.objects.bulk_create(Task(name=f"fit a{n:02}", **fields) for n in range(52))
    make(name="fit of today", status="FAILED", kind="demo.coin")
    found = [make(name=f"fit {n}", status="FAILED", created_at=yesterday) for n in range(3)]
    make(name="fit that went well", status="FINISHED", created_at=yesterday)
    page = opened("/tasks/")
    page.evaluate("window.same = true")
    page.keyboard.press("/")
    page.keyboard.type("sta")
    expect(page.get_by_role("option")).to_have_text(
        ["status QUEUEING, RUNNING, FINISHED, FAILED, CANCELLED", re.compile("started")]
    )
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.keyboard.type("fa")
    expect(page.get_by_role("option")).to_have_text(["FAILED"])
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Tab")
    expect(page.locator("#search-said")).to_contain_text("56 tasks match")
    page.keyboard.type("fit created:yesterdax")
    expect(page.locator("#search-said")).to_contain_text("“yesterdax” is no time for “created”")
    expect(page.locator("tbody tr")).to_have_count(50)
    page.keyboard.press("Backspace")
    page.keyboard.type("y")
    expect(page.locator("#search-said")).to_contain_text("55 tasks match")
    assert page.url.endswith("/tasks/?q=status%3AFAILED+fit+created%3Ayesterday")
    change(found[1], status="FINISHED", value_text="1.0")
    expect(page.locator(f"#task-{found[1].pk}")).to_have_count(0)
    page.get_by_role("link", name="Name").click()
    expect(page.get_by_role("columnheader", name="Name")).to_have_attribute("aria-sort", "ascending")
    expect(page.locator("tbody tr .t-name").first).to_have_text("fit 0")
    page.go_back()
    expect(page.locator("#q")).to_have_value("status:FAILED fit created:yesterday")
    page.get_by_label("Select all on this page").check()
    expect(page.locator(".everything")).to_contain_text("The 50 on this page are selected.")
    expect(page.get_by_role("link", name="Choose all 54 that match")).to_be_visible()
    change(Task.objects.get(name="fit a00"), status="FINISHED")  # on the second page
    page.get_by_role("link", name="Choose all 53 that match").click()
    page.get_by_role("button", name="Retry 53").click()
    expect(page.get_by_role("status").first).to_contain_text("0 % · 0 retried.")
    while sweeps.advance():
        pass
    expect(page.locator("#sweep")).to_contain_text("Done. 53 retried.")
    page.get_by_role("link", name="To the tasks").click()
    expect(page.locator("#table")).to_contain_text("No task matches")


def test_selected_tasks_are_given_a_priority_in_a_dialog(opened: Open, make: Make) -> None:
    waiting, running = make(), make(status="RUNNING")
    page = opened("/tasks/")
    dialog, number = page.get_by_role("dialog"), page.get_by_role("dialog").get_by_label("Priority")
    for selected, typed, said in [
        (waiting, "1000", "Must be a whole number from -100 to 100"),
        (running, "5", "is running: only what has not begun"),
        (waiting, "50", "1 task given priority 50."),
    ]:
        page.get_by_label(f"Select task {selected.pk}", exact=True).check()
        page.get_by_role("button", name="Priority").click()
        number.fill(typed)
        dialog.get_by_role("button", name="Set").click()
        expect(page.locator("body")).to_contain_text(said)
        if typed == "1000":
            expect(number).to_have_value(typed)
            dialog.get_by_text("Keep").click()
        expect(dialog).to_be_hidden()
        expect(page.locator("#priority")).to_be_focused()
        page.keyboard.press("Escape")
    waiting.refresh_from_db()
    assert waiting.priority == 50
    page.goto(f"/tasks/{waiting.pk}/")
    page.get_by_role("button", name="Priority").press("Enter")
    expect(number).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Priority")).to_be_focused()
