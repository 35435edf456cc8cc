"""The output of a running task as somebody watches it; what is printed is recorded while the page is open."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from apps.tasks.models import Attempt, Task
from apps.tasks.recording import record
from tests.tasks.events import batch, failed, finished, printed, progress, started

Open = Callable[[str], Page]
Make = Callable[..., Task]


class Printer:
    """An attempt that prints."""

    def __init__(self, task: Task, attempt: int = 1) -> None:
        self.task, self.attempt, self.position = task, attempt, 0
        record([batch(started(task, attempt))])

    def print(self, *parts: Any) -> None:
        piece = printed(self.task, self.position, *parts, attempt=self.attempt)
        self.position += piece["size"]
        assert record([batch(piece)]) == ["APPLIED"]

    def lines(self, count: int) -> None:
        self.print(*(f"line {n}\n" for n in range(count)))


@pytest.fixture
def printer(make: Make, kinds: None) -> Printer:
    return Printer(make(name="prints"))


def test_output_is_appended_while_the_task_runs(opened: Open, printer: Printer) -> None:
    page = opened(f"/tasks/{printer.task.pk}/")
    terminal = page.locator("#output-text")
    expect(page.locator("#output")).to_contain_text("It has printed nothing yet.")
    printer.print("Reading...\n", "half a ")
    expect(terminal).to_have_text("Reading...\nhalf a ")
    page.evaluate("document.querySelector('#output-text .run').dataset.mine = 'kept'")
    printer.print("line\n", ("stderr", "a warning\n"))
    expect(terminal).to_have_text("Reading...\nhalf a line\na warning\n")
    assert terminal.locator(".run").first.get_attribute("data-mine") == "kept"
    expect(terminal.locator(".stderr")).to_have_text("a warning\n")
    for done in range(1, 5):
        printer.print(("stderr", f"\r{done * 20}%"))
    expect(terminal.locator("#output-open")).to_have_text("80%")
    printer.print(("stderr", "\r100%\n"), "done\n")
    record([batch(finished(printer.task))])
    expect(terminal).to_have_text("Reading...\nhalf a line\na warning\n100%\ndone\n")
    expect(page.locator(".head .chip")).to_have_text("Finished")
    Attempt.objects.update(finished_at=timezone.now() - timedelta(minutes=1))
    expect(page.locator("#output-live")).to_have_count(0)
    expect(page.get_by_role("button", name="Follow")).to_be_hidden()


def test_output_begins_on_a_page_that_was_open_before(opened: Open, make: Make, kinds: None) -> None:
    task = make(name="waits")
    page = opened(f"/tasks/{task.pk}/")
    expect(page.locator("#output")).to_be_hidden()
    printer = Printer(task)
    expect(page.locator("#output")).to_contain_text("It has printed nothing yet.")
    printer.print("one\n")
    expect(page.locator("#output-text")).to_have_text("one\n")
    record([batch(started(task), printed(task, 0, "of another worker\n"), worker="w2")])
    expect(page.locator("#output-text")).to_have_text("of another worker\n")
    record([batch(printed(task, 0, "anew\n"), worker="w2")])
    expect(page.locator("#output-text")).to_have_text("anew\n")


def test_library_frames_open_without_script(
    browser: Any, sign_in: Callable[[Any], None], base_url: str, make: Make
) -> None:
    frame = '  File "/usr/lib/python3.11/json/__init__.py", line 1, in loads\n    deep inside\n'
    task, text = make(), f"Traceback (most recent call last):\n{frame * 5}ValueError: no\n"
    record([batch({**failed(task), "error": {"type": "ValueError", "message": "no", "traceback": text}})])
    context = browser.new_context(java_script_enabled=False)
    sign_in(context)
    page = context.new_page()
    page.goto(f"{base_url}/tasks/{task.pk}/")
    expect(page.get_by_text("deep inside").first).to_be_hidden()
    page.get_by_text("5 frames in Python").click()
    expect(page.get_by_text("deep inside").first).to_be_visible()
    context.close()


def test_the_tail_is_replaced_and_the_cut_named(opened: Open, printer: Printer) -> None:
    printer.print("the beginning\n")
    page = opened(f"/tasks/{printer.task.pk}/")
    record([batch(printed(printer.task, 1_234_581, "the end so far\n"))])
    expect(page.locator("#output .cut")).to_have_text("1,234,567 bytes left out here\n")
    record([batch(printed(printer.task, 2_000_014, "the end\n"))])
    expect(page.locator("#output-rest")).to_have_text("2,000,000 bytes left out here\nthe end\n")
    expect(page.locator("#output-text")).to_contain_text("the beginning")


def test_it_sticks_to_the_end_unless_the_reader_has_scrolled_up(opened: Open, printer: Printer) -> None:
    printer.lines(200)
    page = opened(f"/tasks/{printer.task.pk}/")
    terminal, follow = page.locator("#output-text"), page.get_by_role("button", name="Follow")
    from_end = "box => Math.round(box.scrollHeight - box.scrollTop - box.clientHeight)"
    expect(follow).to_have_attribute("aria-pressed", "true")
    printer.print("the 201st\n")
    expect(terminal).to_contain_text("the 201st")
    assert terminal.evaluate(from_end) <= 1
    terminal.evaluate("box => { box.scrollTop = 100; }")
    expect(follow).to_have_attribute("aria-pressed", "false")
    printer.print("the 202nd\n")
    expect(terminal).to_contain_text("the 202nd")
    assert terminal.evaluate("box => box.scrollTop") == 100
    follow.click()
    expect(follow).to_have_attribute("aria-pressed", "true")
    assert terminal.evaluate(from_end) <= 1
    printer.print("the 203rd\n")
    expect(terminal).to_contain_text("the 203rd")
    assert terminal.evaluate(from_end) <= 1


def test_long_lines_are_wrapped_or_not_as_the_reader_likes(opened: Open, printer: Printer) -> None:
    printer.lines(200)
    printer.print("x" * 4_000 + "\n")
    page = opened(f"/tasks/{printer.task.pk}/")
    terminal = page.locator("#output-text")
    sideways = "box => box.scrollWidth > box.clientWidth"
    assert not terminal.evaluate(sideways)
    page.get_by_role("button", name="Wrap").click()
    expect(page.get_by_role("button", name="Wrap")).to_have_attribute("aria-pressed", "false")
    assert terminal.evaluate(sideways)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page = opened(f"/tasks/{printer.task.pk}/")
    assert terminal.evaluate(sideways)
    page.emulate_media(media="print", color_scheme="dark")  # all of it, and nothing that is pressed
    assert not terminal.evaluate("box => box.scrollWidth > box.clientWidth || box.scrollHeight > box.clientHeight")
    assert page.locator("html").evaluate("root => getComputedStyle(root).colorScheme") == "light"
    expect(page.locator(".top")).to_be_hidden()
    expect(page.get_by_role("button")).to_have_count(0)


def test_output_is_copied_and_downloaded(opened: Open, printer: Printer) -> None:
    printer.print("one\n", ("stderr", "\x1b[31mtwo\x1b[0m\n"), "<b>three</b>\n")
    page = opened(f"/tasks/{printer.task.pk}/")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.locator("[data-copies=output-text]").click()
    expect(page.locator("[data-copies=output-text]")).to_have_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()") == "one\ntwo\n<b>three</b>\n"
    with page.expect_download() as download:
        page.get_by_role("link", name="Download").click()
    assert download.value.suggested_filename == f"task-{printer.task.pk}-attempt-1.txt"
    assert Path(download.value.path()).read_bytes() == b"one\n\x1b[31mtwo\x1b[0m\n<b>three</b>\n"


def test_the_next_attempt_takes_the_place_of_the_first_whose_output_stays_within_reach(
    opened: Open, printer: Printer
) -> None:
    printer.print("of the first\n")
    page = opened(f"/tasks/{printer.task.pk}/")
    expect(page.locator("#output-text")).to_have_text("of the first\n")
    record([batch(failed(printer.task))])
    Task.objects.filter(pk=printer.task.pk).update(status="QUEUEING", attempt=2)
    Printer(printer.task, attempt=2).print("of the second\n")
    expect(page.locator("#output-text")).to_have_text("of the second\n")
    page.get_by_role("link", name="Output of attempt 1").click()
    expect(page.locator("#output-title")).to_have_text("Output of attempt 1")
    expect(page.locator("#output-text")).to_have_text("of the first\n")


def test_an_end_of_the_task_leaves_marked_output_alone(opened: Open, printer: Printer) -> None:
    printer.lines(3)
    page = opened(f"/tasks/{printer.task.pk}/")
    page.evaluate("getSelection().selectAllChildren(document.querySelector('#output-text .run'))")
    record([batch(finished(printer.task))])
    expect(page.locator(".head .chip")).to_have_text("Finished")
    assert page.evaluate("getSelection().toString()").strip() == "line 0\nline 1\nline 2"


def test_without_script_the_output_stands_in_the_page(
    browser: Any, sign_in: Callable[[Any], None], base_url: str, printer: Printer
) -> None:
    printer.print("one\n")
    context = browser.new_context(java_script_enabled=False)
    sign_in(context)
    page = context.new_page()
    page.goto(f"{base_url}/tasks/{printer.task.pk}/")
    expect(page.locator("#output-text")).to_have_text("one\n")
    expect(page.get_by_role("button", name="Follow")).to_be_hidden()
    context.close()


def test_progress_moves_on_the_page_and_in_the_table(opened: Open, make: Make, printer: Printer) -> None:
    page = opened("/tasks/")
    row = page.locator(f"#task-{printer.task.pk}")
    other = make(name="no progress").pk
    expect(page.locator(f"#task-{other}")).to_be_visible()
    record([batch(progress(printer.task, 0.427, "epoch 3 of 20 " * 10))])
    expect(row.get_by_role("progressbar", name="Progress")).to_have_attribute("value", "42")
    expect(row).to_contain_text("42 %")
    height = "row => Math.round(row.getBoundingClientRect().height)"
    assert row.evaluate(height) == page.locator(f"#task-{other}").evaluate(height)
    page = opened(f"/tasks/{printer.task.pk}/")
    expect(page.locator("#progress")).to_contain_text("42 %")
    record([batch(progress(printer.task, 0.8, "nearly"))])
    expect(page.locator("#progress")).to_contain_text("nearly")
    record([batch(finished(printer.task))])
    expect(page.locator(".head .chip")).to_have_text("Finished")
    expect(page.locator("#progress")).to_be_hidden()
