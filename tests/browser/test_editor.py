"""The editor of a field for code, in a real browser."""

import re
from collections.abc import Callable

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from apps.tasks.models import Kind, Task
from tests.browser.editing import NEW, ODD, create, editor_of, paste, shows

Open = Callable[[str], Page]
Make = Callable[..., Task]
FORMULA = {"type": "object", "properties": {"rule": {"type": "string", "widget": "code", "maxLength": 20}}}

pytestmark = pytest.mark.usefixtures("code")


def test_typing_is_coloured_numbered_and_indented(opened: Open) -> None:
    page = opened(NEW)
    editor = editor_of(page)
    editor.click()
    page.keyboard.type("def f(x):\nreturn x\n")
    page.keyboard.press("Shift+Tab")
    page.keyboard.type("f(2)")
    shows(page, "def f(x):\n    return x\nf(2)")
    expect(page.locator(".token.keyword").first).to_have_text("def")
    page.keyboard.press("Control+/")
    expect(editor).to_have_value("def f(x):\n    return x\n# f(2)")
    page.keyboard.press("Control+a")
    page.keyboard.press("Tab")
    shows(page, "    def f(x):\n        return x\n    # f(2)")
    page.keyboard.press("Control+z")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#toasts")).to_contain_text("created.")
    assert Task.objects.get().params == {"code": "def f(x):\n    return x\n# f(2)"}


@pytest.mark.parametrize(
    "text",
    ["print(f\"{d['a'][0]:.2f} \", 'b')", '"""don\'t"""', 'r"\\d+ "', "((1, [2]), {3: f(a)(b)[c]})", "x <y> `z`"],
)
def test_brackets_and_quotes_are_just_those_that_were_typed(opened: Open, text: str) -> None:
    page = opened(NEW)
    editor_of(page).click()
    page.keyboard.type(text)
    shows(page, text)


def test_code_that_is_indented_by_tabs_goes_on_with_them(opened: Open) -> None:
    page = opened(NEW)
    editor = editor_of(page)
    editor.fill("if 1:\n\tif 2:")
    page.keyboard.press("Enter")
    page.keyboard.press("3")
    expect(editor).to_have_value("if 1:\n\tif 2:\n\t\t3")


def test_the_text_that_is_sent_is_just_what_was_typed(opened: Open) -> None:
    page = opened(NEW)
    editor_of(page).click()
    paste(page, ODD)
    shows(page, ODD)
    assert create(page) == {"code": ODD}


def test_without_a_name_the_keys_that_create_lead_to_it(opened: Open) -> None:
    page = opened("/tasks/new/?kind=code.python")
    editor_of(page).click()
    page.keyboard.press("Control+Enter")
    expect(page.get_by_label("Name")).to_be_focused()
    assert not Task.objects.exists()


def test_the_keyboard_finds_its_way_out(opened: Open) -> None:
    page = opened(NEW)
    editor = editor_of(page)
    expect(editor).to_have_accessible_description(re.compile(r"Esc, then Tab leaves the editor"))
    editor.focus()
    page.keyboard.press("Escape")
    expect(page.get_by_role("status").filter(has_text="Tab leaves the editor now.")).to_be_visible()
    page.keyboard.press("Tab")
    expect(page.locator("#options summary")).to_be_focused()
    expect(editor).to_have_value("")
    editor.focus()
    page.keyboard.press("Tab")
    expect(editor).to_have_value("    ")


def test_in_the_dialog_escape_closes_one_thing_after_the_other(opened: Open) -> None:
    page = opened("/tasks/")
    page.keyboard.press("c")
    page.get_by_label("Kind").select_option("code.python")
    editor = editor_of(page)
    editor.fill("x = 1")
    page.keyboard.press("Control+f")
    expect(page.get_by_label("Find")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_label("Find")).to_have_count(0)
    page.get_by_text("Examples").click()
    page.keyboard.press("Escape")
    expect(page.get_by_role("link", name="Ensemble of an SDE")).to_be_hidden()
    editor.focus()
    page.keyboard.press("Escape")
    expect(page.locator("#create")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#create")).to_be_hidden()
    page.keyboard.press("c")
    shows(page, "x = 1")


def test_it_finds_and_replaces(opened: Open) -> None:
    page = opened(NEW)
    editor = editor_of(page)
    editor.fill("ab = 1\nabc = ab\n")
    page.keyboard.press("Control+Home")
    page.keyboard.press("Control+h")
    page.get_by_label("Find").fill("ab")
    expect(page.locator(".pce-match-count")).to_have_text("1 of 3")
    page.get_by_title("Match Whole Word").click()
    expect(page.locator(".pce-match-count")).to_have_text("1 of 2")
    page.get_by_label("Replace", exact=True).fill("y")
    page.get_by_role("button", name="All").click()
    expect(editor).to_have_value("y = 1\nabc = y\n")
    page.get_by_label("Find").press("Enter")
    assert not Task.objects.exists()


def test_what_was_typed_is_kept_shown_again_and_forgotten(opened: Open) -> None:
    page = opened(NEW)
    editor_of(page).fill(ODD)
    page.reload()
    expect(page.get_by_text("Restored what you had typed")).to_be_visible()
    expect(editor_of(page)).to_have_value(ODD)
    shows(page, ODD)
    page.get_by_role("button", name="Start afresh").click()
    shows(page, "")


def test_a_form_come_back_to_has_an_editor_that_works(opened: Open) -> None:
    page = opened(NEW)
    editor_of(page).fill("x = 1\n")
    # As create.js leaves it: a copy, in which nothing listens.
    page.locator("#create-form .unseen").evaluate("button => { button.disabled = true; }")
    page.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', {persisted: true}))")
    editor_of(page).click()
    page.keyboard.press("Control+End")
    page.keyboard.type("x")
    shows(page, "x = 1\nx")
    assert create(page) == {"code": "x = 1\nx"}


def test_a_mistake_stands_at_the_editor_of_whatever_kind(opened: Open) -> None:
    Kind.objects.create(name="formula", schema=FORMULA, announced_at=timezone.now())
    page = opened("/tasks/new/?kind=formula&name=rule")
    expect(page.get_by_text("Examples")).to_have_count(0)
    editor_of(page, "rule").fill("x = 1\n" * 5)
    page.get_by_role("button", name="Create", exact=True).click()
    rule = editor_of(page, "rule")
    expect(rule).to_have_attribute("aria-invalid", "true")
    expect(rule).to_have_accessible_description(re.compile(r"Must have at most 20 characters \(it has 30\)"))
    expect(rule).to_be_focused()
    shows(page, "x = 1\n" * 5)
    rule.fill("x = 1")
    assert create(page) == {"rule": "x = 1"}


def test_long_code_is_taken_whole(opened: Open) -> None:
    text = "".join(f"x = {n:0100}\n" for n in range(400))
    page = opened(NEW)
    editor_of(page).click()
    paste(page, text)
    expect(editor_of(page)).to_have_value(text)
    expect(page.get_by_text("Long code is not coloured here.")).to_be_visible()
    page.keyboard.press("Control+a")
    page.keyboard.type("1")
    expect(page.get_by_text("Long code is not coloured here.")).to_have_count(0)
    expect(page.locator(".token.number")).to_have_text("1")


def test_the_editor_comes_with_code_alone(opened: Open) -> None:
    page = opened("/tasks/")
    page.keyboard.press("c")
    expect(page.get_by_label("failure_rate")).to_be_visible()
    loaded = "performance.getEntriesByType('resource').map(({ name }) => name).join(' ')"
    assert "vendor/prism" not in page.evaluate(loaded)
    page.get_by_label("Kind").select_option("code.python")
    editor_of(page)
    assert "vendor/prism" in page.evaluate(loaded)


def test_the_cursor_stays_in_sight(opened: Open) -> None:
    page = opened(NEW)
    editor_of(page).click()
    paste(page, "x = 1\n" * 100)
    for _ in range(3):
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
    box = page.locator(".prism-code-editor").bounding_box()
    line = page.locator(".active-line").bounding_box()
    assert box
    assert line
    assert box["y"] <= line["y"]
    assert line["y"] + line["height"] <= box["y"] + box["height"]
