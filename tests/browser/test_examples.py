"""Examples of code: in the editor, and without JavaScript."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from apps.tasks import examples
from apps.tasks.models import Task
from tests.browser.editing import NEW, create, editor_of, shows

Open = Callable[[str], Page]
Make = Callable[..., Task]

pytestmark = pytest.mark.usefixtures("code")


def test_an_example_replaces_the_code_and_can_be_undone(opened: Open) -> None:
    page = opened("/tasks/new/?kind=code.python")
    editor_of(page).fill("mine = 1\n")
    sde, pi = (examples.find(name) for name in ("sde", "pi"))
    assert sde
    assert pi
    page.get_by_text("Examples").click()
    page.get_by_role("link", name=sde.title).click()
    expect(editor_of(page)).to_have_value(sde.code)
    shows(page, sde.code)
    expect(page.get_by_role("link", name=sde.title)).to_be_hidden()
    expect(page.get_by_label("Name")).to_have_value(sde.title)
    expect(editor_of(page)).to_be_focused()
    page.keyboard.press("Control+z")
    expect(editor_of(page)).to_have_value("mine = 1\n")
    page.get_by_text("Examples").click()
    page.get_by_role("link", name=pi.title).click()
    expect(page.get_by_label("Name")).to_have_value(pi.title)
    page.get_by_label("Name").fill("my own name")
    page.get_by_text("Examples").click()
    page.get_by_role("link", name=sde.title).click()
    expect(editor_of(page)).to_have_value(sde.code)
    expect(page.get_by_label("Name")).to_have_value("my own name")
    assert create(page) == {"code": sde.code}


def test_an_example_that_does_not_come_takes_nothing_away(opened: Open, console: Page) -> None:
    console.route("**/tasks/examples/**", lambda route: route.abort())
    page = opened(NEW)
    editor_of(page).fill("mine")
    page.get_by_text("Examples").click()
    page.get_by_role("link", name="Ensemble of an SDE").click()
    expect(page.get_by_text("The server did not answer. Try again.")).to_be_visible()
    expect(editor_of(page)).to_have_value("mine")


def test_without_javascript_it_is_a_field_and_examples_are_links(
    browser: Browser, base_url: str, sign_in: Callable[[BrowserContext], None]
) -> None:
    context = browser.new_context(java_script_enabled=False, base_url=base_url)
    sign_in(context)
    page = context.new_page()
    page.goto("/tasks/new/?kind=code.python")
    page.get_by_label("code", exact=True).fill("mine")
    expect(page.get_by_text("leaves the editor")).to_be_hidden()
    page.get_by_text("Examples").click()
    with context.expect_page() as another:
        page.get_by_role("link", name="Monte Carlo pi").click()
    expect(page.get_by_label("code", exact=True)).to_have_value("mine")
    pi = examples.find("pi")
    assert pi
    expect(another.value.get_by_label("Name")).to_have_value(pi.title)
    another.value.get_by_role("button", name="Create", exact=True).click()
    expect(another.value.locator("#toasts")).to_contain_text("created.")
    assert Task.objects.get().params == {"code": pi.code}
    context.close()
