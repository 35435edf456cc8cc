"""Taking a view elsewhere: the menu opens where it is asked for, and what is copied is what stands there."""

from collections.abc import Callable

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, expect

from apps.tasks.models import Task

Open = Callable[[str], Page]
Make = Callable[..., Task]


def test_the_view_and_a_task_are_copied_from_a_dialog(opened: Open, make: Make, context: BrowserContext) -> None:
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    task = make(name="it's 'quoted'", params={"x": 1})
    page = opened("/tasks/")
    page.get_by_label("Search the tasks").fill("quoted")
    expect(page).to_have_url("/tasks/?q=quoted")
    for path, part in [("", '"query": "quoted"'), (f"/tasks/{task.pk}/", "it'\"'\"'s '\"'\"'quoted")]:
        page = opened(path) if path else page
        page.get_by_role("link", name="Copy as").click()
        curl = page.get_by_role("region", name="curl")
        expect(curl).to_contain_text(part)
        page.get_by_role("button", name="Copy", description="curl").click()
        expect(page.get_by_role("button", name="Copied")).to_be_visible()
        assert page.evaluate("navigator.clipboard.readText()") == curl.inner_text()
        assert Axe().run(page).violations_count == 0
        page.set_viewport_size({"width": 1280, "height": 420})  # lower than what stands in it
        expect(page.get_by_role("dialog").get_by_text("Close")).to_be_in_viewport(ratio=1)
        page.get_by_role("dialog").get_by_text("Close").click()
        expect(page.get_by_role("dialog")).to_be_hidden()


def test_without_script_it_is_a_page(
    browser: Browser, base_url: str, sign_in: Callable[[BrowserContext], None], make: Make
) -> None:
    make()
    context = browser.new_context(java_script_enabled=False, base_url=base_url)
    sign_in(context)
    page = context.new_page()
    page.goto("/tasks/?q=status:QUEUEING")
    page.get_by_role("link", name="Copy as").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Copy this view")
    expect(page.get_by_role("region", name="Python")).to_contain_text("'query': 'status:QUEUEING'")
    page.get_by_role("link", name="Close").click()
    expect(page).to_have_url("/tasks/?q=status%3AQUEUEING")
    context.close()
