"""What was typed into the create form comes back, and a form as it stands becomes a link."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.utils import timezone
from playwright.sync_api import Browser, BrowserContext, Page, expect

from apps.tasks.models import Kind, Task

Open = Callable[[str], Page]
Make = Callable[..., Task]
PLATE = {
    "type": "object",
    "properties": {
        "thickness": {"type": "number", "exclusiveMinimum": 0, "default": 2.0, "unit": "mm"},
        "material": {"enum": ["steel", "brass"], "default": "steel"},
    },
}
CUT = {
    "type": "object",
    "properties": {
        "plate": {"anyOf": [{"$ref": "#/$defs/Plate"}, {"type": "null"}], "default": None},
        "sides": {"type": "array", "items": {"enum": ["a", "b", "c"]}, "uniqueItems": True, "default": ["a"]},
        "offsets": {"type": "array", "items": {"type": "number"}, "default": []},
        "password": {"type": "string", "format": "password", "default": ""},
    },
    "$defs": {"Plate": PLATE},
    "additionalProperties": False,
}


@pytest.fixture(autouse=True)
def cut(kinds: None) -> Kind:
    return Kind.objects.create(name="cut", doc="Cuts.", schema=CUT, announced_at=timezone.now() - timedelta(days=1))


def fill_in(page: Page) -> None:
    page.get_by_label("Name").fill("long thought about")
    page.get_by_label("Give plate").check()
    page.get_by_label("thickness").fill("3.5")
    page.get_by_label("b", exact=True).check()
    page.get_by_label("offsets").fill("1\n2")
    page.get_by_label("password").fill("secret")


def is_filled_in(page: Page) -> None:
    expect(page.get_by_label("Name")).to_have_value("long thought about")
    expect(page.get_by_label("thickness")).to_have_value("3.5")
    expect(page.get_by_label("a", exact=True)).to_be_checked()
    expect(page.get_by_label("b", exact=True)).to_be_checked()
    expect(page.get_by_label("c", exact=True)).not_to_be_checked()
    expect(page.get_by_label("offsets")).to_have_value("1\n2")


def test_what_was_typed_survives_a_reload_but_for_passwords(opened: Open) -> None:
    page = opened("/tasks/new/?kind=cut")
    fill_in(page)
    page.reload()
    expect(page.get_by_text("Restored what you had typed")).to_be_visible()
    is_filled_in(page)
    expect(page.get_by_label("password")).to_be_empty()
    assert "secret" not in page.evaluate("JSON.stringify(sessionStorage)")
    page.get_by_role("button", name="Create", exact=True).click()
    expect(page.locator("tbody tr")).to_contain_text("long thought about")
    params = {"plate": {"thickness": 3.5, "material": "steel"}, "sides": ["a", "b"], "offsets": [1, 2], "password": ""}
    assert Task.objects.get().params == params
    page.goto("/tasks/new/?kind=cut")
    expect(page.get_by_label("Name")).to_be_empty()
    expect(page.get_by_text("Restored what you had typed")).to_be_hidden()


def test_it_survives_a_session_that_ends_before_it_is_sent(
    opened: Open, context: BrowserContext, sign_in: Callable[[BrowserContext], None]
) -> None:
    context.route("**/health/", lambda route: route.fulfill(status=204))  # it would lead to sign in first
    page = opened("/tasks/new/?kind=cut")
    fill_in(page)
    context.clear_cookies(name=settings.SESSION_COOKIE_NAME)
    page.get_by_role("button", name="Create", exact=True).click()
    page.wait_for_url("**/login/?next=/tasks/new/%3Fkind%3Dcut&ended=1")
    sign_in(context)
    page.goto("/tasks/new/?kind=cut")
    expect(page.get_by_text("Restored what you had typed")).to_be_visible()
    is_filled_in(page)


def test_starting_afresh_forgets_it(opened: Open) -> None:
    page = opened("/tasks/new/?kind=cut")
    fill_in(page)
    page.reload()
    page.get_by_role("button", name="Start afresh").click()
    expect(page.get_by_label("Name")).to_be_empty()
    expect(page.get_by_label("Name")).to_be_focused()
    expect(page.get_by_label("Give plate")).not_to_be_checked()
    expect(page.get_by_label("thickness")).to_be_hidden()
    page.reload()
    expect(page.get_by_label("offsets")).to_be_empty()
    expect(page.get_by_text("Restored what you had typed")).to_be_hidden()


def test_the_dialog_comes_back_with_the_kind_that_was_worked_on(opened: Open) -> None:
    page = opened("/tasks/")
    page.keyboard.press("c")
    page.get_by_label("Kind").select_option("demo.noop")
    page.get_by_label("x", exact=True).fill("[1]")
    page.get_by_label("Kind").select_option("cut")
    fill_in(page)
    page.reload()
    expect(page.locator("#live[data-htmx-powered]")).to_be_attached()
    page.keyboard.press("c")
    expect(page.get_by_label("Kind")).to_have_value("cut")
    is_filled_in(page)
    expect(page.get_by_text("Restored what you had typed")).to_be_visible()
    page.get_by_label("Kind").select_option("demo.noop")
    expect(page.get_by_label("x", exact=True)).to_have_value("[1]")
    page.get_by_role("link", name="Cancel").click()
    page.keyboard.press("c")
    expect(page.get_by_label("Name")).to_be_empty()


def test_a_created_task_leaves_no_draft_in_the_dialog(opened: Open) -> None:
    page = opened("/tasks/")
    page.keyboard.press("c")
    page.get_by_label("Kind").select_option("cut")
    fill_in(page)
    page.get_by_role("button", name="Create", exact=True).click()
    expect(page.locator("tbody tr")).to_contain_text("long thought about")
    page.keyboard.press("c")
    expect(page.get_by_label("Name")).to_be_empty()
    assert page.evaluate("sessionStorage.length") == 0


def test_a_form_as_it_stands_becomes_a_link(opened: Open, context: BrowserContext) -> None:
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = opened("/tasks/new/?kind=cut")
    fill_in(page)
    page.get_by_role("button", name="Copy link").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    link = page.evaluate("navigator.clipboard.readText()")
    assert "secret" not in link
    page.evaluate("sessionStorage.clear()")
    page.goto(link)
    is_filled_in(page)
    expect(page.locator(".errorlist")).to_have_count(0)


def test_a_task_is_edited_and_run_again_from_its_row(opened: Open, make: Make) -> None:
    make(name="the first", kind="cut", params={"offsets": [1.5], "plate": {"thickness": 9.0}})
    page = opened("/tasks/")
    page.get_by_role("link", name="the first").focus()
    page.keyboard.press("e")
    expect(page.get_by_label("thickness")).to_have_value("9.0")
    page.get_by_label("thickness").fill("-1")
    page.get_by_role("button", name="Create", exact=True).click()
    expect(page.get_by_label("thickness")).to_be_focused()
    expect(page.get_by_label("thickness")).to_have_accessible_description(
        "more than 0 Must be more than 0 (it is -1.0)."
    )
    page.get_by_label("thickness").fill("8")
    page.get_by_role("button", name="Create", exact=True).click()
    expect(page.locator("tbody tr")).to_have_count(2)
    assert Task.objects.first().params["plate"]["thickness"] == 8  # type: ignore[union-attr]
    page.get_by_role("link", name="the first").first.click()
    page.get_by_role("link", name="Edit and run again").click()
    expect(page.get_by_label("thickness")).to_have_value("8.0")


def test_nested_parameters_work_without_javascript(
    browser: Browser, base_url: str, sign_in: Callable[[BrowserContext], None], alice: User
) -> None:
    context = browser.new_context(java_script_enabled=False, base_url=base_url)
    sign_in(context)
    page = context.new_page()
    page.goto("/tasks/new/?kind=cut&name=plain")
    expect(page.get_by_label("thickness")).to_be_hidden()
    page.get_by_label("Give plate").check()
    page.get_by_label("thickness").fill("0")
    page.get_by_label("offsets").fill("1\n2,5")
    page.get_by_role("button", name="Create", exact=True).click()
    expect(page.get_by_text("Must be more than 0 (it is 0.0).")).to_be_visible()
    expect(page.get_by_text('Item 2: Must be a finite number, such as 2.5 (it is "2,5").')).to_be_visible()
    expect(page.get_by_label("offsets")).to_have_value("1\n2,5")
    page.get_by_label("thickness").fill("0.5")
    page.get_by_label("offsets").fill("1\n2.5")
    page.get_by_role("button", name="Create", exact=True).click()
    expect(page.locator("tbody tr")).to_contain_text("plain")
    assert Task.objects.get().params["plate"] == {"thickness": 0.5, "material": "steel"}
    context.close()
