"""Somebody is invited, joins, makes a token, and is switched off; each page they meet keeps the rules."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from playwright.sync_api import BrowserContext, Page, expect

from apps.accounts import tokens
from apps.accounts.permissions import Scope
from apps.tasks.models import Task
from tests.browser.test_pages import faults, sideways
from tests.tasks.rows import an_attempt

Open = Callable[[str], Page]
New = Callable[..., BrowserContext]
NAME, SENTENCE = "vera." + "x" * 100, "a long sentence of mine"


@pytest.fixture
def invited(opened: Open, alice: User, context: BrowserContext) -> str:
    """The link, as an administrator copies it."""
    User.objects.filter(pk=alice.pk).update(is_superuser=True)
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = opened("/people/")
    page.get_by_label("Name").fill(NAME)
    page.get_by_label("Viewer").check()
    page.get_by_role("button", name="Add, and make the link").click()
    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    return str(page.evaluate("navigator.clipboard.readText()"))


def looked_over(page: Page) -> list[str]:
    """What is wrong with the page as it stands there."""
    wide = sideways(page)
    return [*faults(page), *([f"{page.url} {page.title()} {wide}"] if wide else [])]


def test_from_the_invitation_to_being_switched_off(
    invited: str, console: Page, base_url: str, new_context: New
) -> None:
    admin = console
    wrong = looked_over(admin)
    vera = new_context().new_page()
    vera.goto(invited)
    wrong += looked_over(vera)
    vera.get_by_label("New password").fill(SENTENCE)
    vera.get_by_label("Once more").fill(SENTENCE)
    vera.get_by_role("button", name="Set the password").click()
    expect(vera.get_by_role("heading", name="Tasks")).to_be_visible()
    vera.locator("button.menu").click()
    vera.get_by_role("link", name="Your account").click()
    vera.get_by_label("What for").fill("laptop " + "y" * 90)
    vera.get_by_role("button", name="Make a token").click()
    text = vera.locator("#fresh").inner_text()
    wrong += looked_over(vera)
    assert tokens.find(text)
    vera.get_by_role("button", name="Revoke").click()
    vera.get_by_role("alertdialog").get_by_role("button", name="Revoke").click()
    expect(vera.locator(".toast")).to_contain_text("is revoked")
    admin.goto(f"{base_url}/people/")
    wrong += looked_over(admin)
    admin.get_by_role("link", name=NAME).click()
    admin.wait_for_url("**/people/*/")  # its buttons are there before its scripts are
    admin.get_by_role("button", name="Switch off").click()
    admin.get_by_role("alertdialog").get_by_role("button", name="Switch off").click()
    expect(admin.locator(".chip")).to_have_text("Switched off")
    wrong += looked_over(admin)
    expect(vera.get_by_role("heading", name="Sign in to Millrace")).to_be_visible()  # the open page leaves by itself
    assert wrong == []


def test_a_task_is_shared_and_no_more(opened: Open, make: Callable[..., Task], console: Page, new_context: New) -> None:
    task = make(name=NAME, status="FAILED", reason="ERROR", worker="w1", finished_at=timezone.now())
    an_attempt(task, error_type="E", error_message="x" * 300)
    opened(f"/tasks/{task.pk}/").get_by_role("link", name="Share").click()
    console.get_by_role("button", name="Make a link").click()
    link = console.locator("#fresh").inner_text()
    wrong = looked_over(console)
    stranger = new_context().new_page()
    stranger.goto(link)
    expect(stranger.get_by_role("heading", name=NAME)).to_be_visible()
    wrong += looked_over(stranger)
    assert stranger.locator("a:not(.skip), form").count() == 0
    console.get_by_role("button", name="Revoke").click()
    expect(console.locator("main")).to_contain_text("No link leads to this task.")
    stranger.reload()
    expect(stranger.get_by_role("heading", name="Not found")).to_be_visible()
    assert wrong == []


def test_all_of_it_works_without_script(alice: User, new_context: New, base_url: str) -> None:
    alice.is_superuser = True
    tokens.make(user=alice, scopes={Scope.TASKS_READ}, name="laptop")
    alice.set_password(SENTENCE)
    alice.save()
    plain = new_context(java_script_enabled=False).new_page()
    plain.goto(f"{base_url}/login/?next=/account/")
    plain.get_by_label("Username").fill("alice")
    plain.get_by_label("Password").fill(SENTENCE)
    plain.get_by_role("button", name="Sign in").click()
    plain.get_by_role("button", name="Revoke laptop").click()
    expect(plain.locator("#toasts")).to_contain_text("is revoked")
    plain.get_by_label("What for").fill("laptop")
    plain.get_by_role("button", name="Make a token").click()
    expect(plain.locator("#fresh")).to_contain_text("mrp_")
    plain.locator("button.menu").click()
    plain.get_by_role("link", name="People").click()
    plain.get_by_label("Name").fill("vera")
    plain.get_by_role("button", name="Add, and make the link").click()
    expect(plain.locator("#fresh")).to_contain_text("/join/")
