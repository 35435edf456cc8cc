"""What tests of the editor do and look at."""

from typing import Any

from playwright.sync_api import Locator, Page, expect

from apps.tasks.models import Task

NEW = "/tasks/new/?kind=code.python&name=typed"
ODD = '\n\tx = \'\U0001f600 é\u2028\'\n\n    y = """a\n  b"""  \n</textarea>&amp;\nx\n\n'
# Without what measures where the cursor is.
TEXTS = """lines => lines.map(({ childNodes }) =>
  [...childNodes].filter(({ nodeName }) => nodeName !== "DIV").map(({ textContent }) => textContent).join(""))"""


def editor_of(page: Page, name: str = "code") -> Locator:
    """Its textarea, once it is there."""
    expect(page.locator(".prism-code-editor")).to_be_visible()
    return page.get_by_label(name, exact=True)


def shows(page: Page, text: str) -> None:
    """What the lines show, under the textarea's transparent text."""
    expect(page.locator(".pce-line")).to_have_count(text.count("\n") + 1)
    texts = page.locator(".pce-line").evaluate_all(TEXTS)
    assert "".join(texts) == f"{text}\n"


def create(page: Page) -> Any:
    page.get_by_role("button", name="Create", exact=True).click()
    expect(page.locator("#toasts")).to_contain_text("created.")
    return Task.objects.get().params


def paste(page: Page, text: str) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.evaluate("text => navigator.clipboard.writeText(text)", text)
    page.keyboard.press("Control+v")
