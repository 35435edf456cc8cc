"""The table in a real browser: it lives by itself and does not disturb the person before it."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.utils import timezone
from playwright.sync_api import Page, expect

from apps.tasks import sweeps
from apps.tasks.clock import tick
from apps.tasks.columns import COLUMNS
from apps.tasks.models import TableLook, Task

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


def test_cards_can_be_ordered_too(opened: Open, console: Page, make: Make, alice: User) -> None:
    for name in ("b", "a", "c"):
        make(name=name, status="FINISHED")
    TableLook.objects.create(user=alice, columns=list(COLUMNS))
    console.set_viewport_size({"width": 360, "height": 640})
    page = opened("/tasks/")
    heads = page.locator("thead a:visible")
    words = "Name, Kind, Queue, Priority, Value, Worker, Run time, Status, Started, Finished, Created at"
    expect(heads).to_have_text(words.split(", "))
    for head in heads.all():
        expect(head).to_be_in_viewport(ratio=1)
        assert (head.bounding_box() or {"height": 0})["height"] >= 24
    assert page.evaluate("getComputedStyle(document.querySelector('thead .t-queue'), '::before').content") == "none"
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    page.get_by_role("link", name="Name").click()
    expect(page.locator("tbody .t-name")).to_have_text(["a", "b", "c"])


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


@pytest.mark.parametrize("how", ["hover", "focus"])
def test_rows_hold_still_under_the_pointer_and_the_focus(opened: Open, make: Make, how: str) -> None:
    row = make(name="first")
    page = opened("/tasks/")
    link = page.locator(f"#task-{row.pk} a")
    link.hover() if how == "hover" else link.focus()
    make(name="second")
    expect(page.locator("#news")).to_have_text("1 new task")
    expect(page.locator("tbody tr")).to_have_count(1)


def test_the_focus_stays_in_the_page_after_the_news_are_fetched(opened: Open, make: Make) -> None:
    first = make(name="first")
    page = opened("/tasks/")
    page.locator(f"#task-{first.pk} input").check()
    make(name="second")
    page.locator("#news a").click()
    expect(page.locator("tbody tr")).to_have_count(2)
    expect(page.locator("#main")).to_be_focused()


def test_news_are_read_out_no_more_than_every_ten_seconds(opened: Open, console: Page, make: Make) -> None:
    console.clock.install()
    first = make(name="first")
    page = opened("/tasks/")
    page.locator(f"#task-{first.pk} input").check()
    make(name="second")
    expect(page.locator("#news-said")).to_have_text("1 new task")
    page.clock.pause_at(page.evaluate("Date.now() / 1000 + 0.1"))
    make(name="third")
    page.clock.run_for(2_000)
    expect(page.locator("#news")).to_have_text("2 new tasks")
    expect(page.locator("#news-said")).to_have_text("1 new task")
    page.clock.run_for(10_000)
    expect(page.locator("#news-said")).to_have_text("2 new tasks")


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


def test_what_has_the_focus_is_not_hidden_under_what_sticks(opened: Open, make: Make) -> None:
    for _ in range(50):
        make()
    page = opened("/tasks/")
    page.keyboard.press("j")
    for _ in range(30):
        page.keyboard.press("j")
    for _ in range(20):
        page.keyboard.press("Shift+Tab")
    top = page.evaluate("document.activeElement.getBoundingClientRect().top")
    assert top >= page.locator("thead th").first.evaluate("head => head.getBoundingClientRect().bottom")


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


def test_live_updates_pause_until_they_are_resumed(opened: Open, make: Make) -> None:
    first = make(name="first")
    page = opened("/tasks/")
    pause = page.get_by_role("button", name="Pause live updates")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "/tasks/changes/" in request.url else None)
    page.keyboard.press(".")
    expect(pause).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_role("status").filter(has_text="Live updates are paused")).to_be_visible()
    page.wait_for_load_state("networkidle")
    asked.clear()
    change(first, status="RUNNING", worker="w1", started_at=timezone.now())
    with page.expect_request("**/health/"):  # the slowest beat, which goes on
        pass
    assert asked == []
    expect(chip(page, first)).to_have_text("Queueing")
    page.keyboard.press("c")
    page.get_by_label("Name").fill("my own")
    page.get_by_role("button", name="Create", exact=True).click()
    expect(page.locator("tbody")).to_contain_text("my own")
    expect(page.get_by_text("Live updates are paused")).to_be_visible()
    change(first, status="FINISHED", finished_at=timezone.now())
    expect(chip(page, first)).to_have_text("Running")
    page.locator(f"#task-{first.pk} input").check()
    page.locator("#cancel").press("Enter")
    page.locator("#confirm").get_by_role("button", name="Cancel").click()
    expect(page.locator("#toasts")).to_contain_text(f"Task {first.pk} has already ended (finished).")
    expect(chip(page, first)).to_have_text("Finished")
    expect(page.locator(f"#task-{first.pk} input")).to_be_checked()
    expect(page.locator("#main")).to_be_focused()  # no row follows it
    change(first, status="FAILED")
    pause.click()
    expect(chip(page, first)).to_have_text("Failed")
    expect(page.get_by_text("Live updates are paused")).to_have_count(0)
    expect(pause).to_have_attribute("aria-pressed", "false")
    page.goto("/queues/")
    page.keyboard.press("?")
    expect(page.locator("#help")).to_contain_text("Pause, resume live updates")
    page.goto("/account/")
    expect(pause).to_have_count(0)


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
    busy = [True]  # not unrouted later: what is on its way then would never be answered
    page.route(
        "**/tasks/changes/**",
        lambda route: route.fulfill(status=503, body="busy") if busy else route.continue_(),
    )
    expect(page.locator("#away")).to_be_visible()
    expect(page.locator(f"#task-{task.pk}")).to_be_visible()
    busy.clear()
    expect(page.locator("#away")).to_be_empty()


def test_a_server_that_hangs_is_said_before_the_poll_is_given_up(opened: Open, console: Page) -> None:
    console.clock.install()
    page = opened("/tasks/")
    page.route("**/tasks/changes/**", lambda _route: None)  # never answered
    page.clock.run_for(5_000)
    expect(page.locator("#away")).to_have_text("Reconnecting…")


def test_an_ended_session_leads_to_sign_in_and_back(opened: Open, make: Make) -> None:
    make()
    page = opened("/tasks/?status=QUEUEING")
    page.context.clear_cookies()
    page.wait_for_url("**/login/?next=/tasks/%3Fstatus%3DQUEUEING&ended=1")
    expect(page.locator("h1")).to_contain_text("Sign in")


def test_the_menu_closes_on_escape_and_on_a_click_beside_it(opened: Open, make: Make) -> None:
    task = make()
    page = opened("/tasks/")
    page.locator(f"#task-{task.pk} input").check()
    for how in ("Escape", "click"):
        page.locator("button.menu").click()
        expect(page.locator("#menu")).to_be_visible()
        page.mouse.click(5, 300) if how == "click" else page.keyboard.press(how)
        expect(page.locator("#menu")).to_be_hidden()
    expect(page.locator(f"#task-{task.pk} input")).to_be_checked()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_theme_is_remembered(opened: Open, scheme: str) -> None:
    page = opened("/tasks/")
    page.locator("button.menu").click()
    page.get_by_label(scheme.title(), exact=True).check()
    page.reload()
    assert page.evaluate("getComputedStyle(document.documentElement).colorScheme") == scheme


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


def test_rows_and_columns_stay_as_chosen_while_the_table_lives(opened: Open, make: Make) -> None:
    task = make(queue="gpu")
    page = opened("/tasks/")
    page.get_by_role("link", name="Rows and columns").click()
    page.get_by_label("Dense").check()
    page.locator("#look").get_by_label("Queue").check()
    page.get_by_role("button", name="Show").click()
    expect(page.locator(f"#task-{task.pk} .t-queue")).to_have_text("gpu")
    height = page.locator(f"#task-{task.pk}").bounding_box()["height"]  # type: ignore[index]
    assert height < 30
    change(task, status="FINISHED", value_text="1.5")
    expect(chip(page, task)).to_have_text("Finished")
    expect(page.locator(f"#task-{task.pk} td")).to_have_count(7)
    make(name="new", status="FINISHED", queue="cpu")
    expect(page.locator("tbody .t-queue")).to_have_text(["cpu", "gpu"])
    assert page.locator(f"#task-{task.pk}").bounding_box()["height"] == height  # type: ignore[index]


def test_a_person_walks_through_what_they_searched_for_and_back(opened: Open, make: Make) -> None:
    failed = [make(name=f"fit {n}", status="FAILED") for n in range(60)][::-1]
    make(name="another", status="FINISHED")
    page = opened("/tasks/?q=status:FAILED")
    page.locator(f"#task-{failed[48].pk} .t-name a").click()
    expect(page.locator("h1")).to_have_text(failed[48].name)
    for key, at in (("n", 49), ("n", 50), ("p", 49), ("n", 50)):
        page.wait_for_load_state()  # its title is there before its scripts are
        page.keyboard.press(key)
        expect(page.locator("h1")).to_have_text(failed[at].name)
    page.get_by_role("button", name="Retry").click()
    expect(page.locator(".head .chip")).to_have_text("Queueing")
    page.get_by_role("link", name="Next").click()  # the list has left it behind, not the person
    expect(page.locator("h1")).to_have_text(failed[51].name)
    page.get_by_role("link", name="Tasks status:FAILED").click()
    expect(page.locator(f"#task-{failed[51].pk}")).to_be_in_viewport()
    expect(page.locator("#q")).to_have_value("status:FAILED")


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
