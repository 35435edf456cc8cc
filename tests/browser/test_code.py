"""Code on the page of its task, and from there in the editor again; both as they look."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from apps.tasks import examples
from apps.tasks.models import Task
from apps.tasks.recording import record
from tests.browser.contrasts import least_contrast
from tests.browser.editing import ODD, editor_of
from tests.browser.test_pages import WIDTHS, faults, sideways
from tests.tasks.events import batch, failed, started

Open = Callable[[str], Page]
Make = Callable[..., Task]
TRACEBACK = 'Traceback (most recent call last):\n  File "<code>", line 40, in <module>\nValueError: no\n'

pytestmark = pytest.mark.usefixtures("code")


def test_a_task_shows_its_code_as_it_was_sent(opened: Open, make: Make) -> None:
    task = make(kind="code.python", params={"code": ODD})
    page = opened(f"/tasks/{task.pk}/")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    code = page.locator("#code-1-text")
    expect(code.locator(".token.string").first).to_contain_text("é")
    assert code.text_content() == ODD
    expect(page.locator(".line-numbers")).to_have_text(re.compile(r"^1\s2\s3\s4\s5\s6\s7\s8\s$"))
    expect(page.get_by_text("Parameters")).to_have_count(0)
    page.locator("#code-1").get_by_role("button", name="Copy").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == ODD


def test_shown_code_stays_as_it_is_while_its_task_goes_on(opened: Open, make: Make) -> None:
    task = make(kind="code.python", params={"code": "\n" * 50 + "x = 1"})
    page = opened(f"/tasks/{task.pk}/")
    number = page.locator("#code-1-text .token.number")
    number.evaluate("each => { each.dataset.mine = 'kept'; }")
    record([batch(started(task))])
    expect(page.locator(".head .chip")).to_have_text("Running")
    expect(number).to_have_attribute("data-mine", "kept")
    record([batch({**failed(task), "error": {"type": "ValueError", "message": "no", "traceback": TRACEBACK}})])
    expect(page.locator(".line-numbers mark")).to_have_text("40")
    expect(number).to_have_attribute("data-mine", "kept")
    page.emulate_media(media="print")
    assert page.locator(".code-sheet").evaluate("box => box.scrollHeight <= box.clientHeight")


def test_code_that_failed_is_edited_where_it_went_wrong(opened: Open, make: Make) -> None:
    task = make(kind="code.python", params={"code": "\n".join(f"x = {n}" for n in range(1, 81))})
    record([batch({**failed(task), "error": {"type": "ValueError", "message": "no", "traceback": TRACEBACK}})])
    page = opened(f"/tasks/{task.pk}/")
    expect(page.locator(".line-numbers mark")).to_have_text("40")
    page.get_by_role("link", name="Edit the code and run it again").click()
    editor_of(page)
    expect(page.get_by_text(f"Task {task.pk} went wrong in line 40.")).to_be_visible()
    faulty = page.locator(".pce-line.is-faulty")
    expect(faulty).to_have_text("x = 40\n")
    expect(faulty).to_be_in_viewport()
    expect(editor_of(page)).to_be_focused()
    page.keyboard.type("y")
    expect(page.locator(".active-line")).to_contain_text("yx = 40")
    expect(faulty).to_have_count(0)


def test_the_editor_and_shown_code_break_no_rule(opened: Open, console: Page, make: Make) -> None:
    console.emulate_media(reduced_motion="reduce")
    sde = examples.find("sde")
    assert sde
    task = make(kind="code.python", params={"code": sde.code})
    record([batch({**failed(task), "error": {"type": "ValueError", "message": "no", "traceback": TRACEBACK}})])
    page = opened(f"/tasks/new/?from={task.pk}")
    editor_of(page).focus()
    page.keyboard.press("Control+f")
    found = faults(page)
    assert least_contrast(page, ".prism-code-editor") >= 4.5
    page.get_by_text("Examples").click()
    found += faults(page)
    page = opened(f"/tasks/{task.pk}/")
    expect(page.locator(".code-sheet .token").first).to_be_visible()
    found += faults(page)
    assert least_contrast(page, ".code-sheet") >= 4.5
    assert found == []


def test_nothing_scrolls_sideways_but_the_code(opened: Open, console: Page, make: Make) -> None:
    console.set_viewport_size({"width": WIDTHS[0], "height": 740})
    task = make(kind="code.python", params={"code": "x = 'long'  # " + "long " * 200})
    page = opened(f"/tasks/new/?from={task.pk}")
    editor_of(page).focus()
    page.keyboard.press("Control+h")
    expect(page.get_by_label("Replace", exact=True)).to_be_visible()
    page.get_by_text("Examples").click()
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 740})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        link = page.get_by_role("link", name="Ensemble of an SDE").bounding_box()
        assert link
        assert link["x"] >= 0
    assert sideways(opened(f"/tasks/{task.pk}/")) == {}
