"""The table lives by itself, and does not disturb the person before it."""

import re
from collections.abc import Callable

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from apps.tasks.models import Task
from tests.browser.rows import change, chip

Open = Callable[[str], Page]
Make = Callable[..., Task]


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
