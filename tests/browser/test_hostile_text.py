"""A walk over pages full of text that wants to be markup: none of it comes alive, and nothing breaks the policy."""

from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Dialog, Page, expect

from apps.tasks.clock import tick
from apps.tasks.models import Task
from tests.fixtures.hostile import PAYLOADS, TEXTS, fill

LISTENS = "window.xmark = () => { document.documentElement.dataset.alive = 'yes'; };"
ALIVE = "[data-alive], xmark, [xmark], main [onerror], main [onclick], main script, main base, main meta"


@pytest.fixture
def tasks(alice: User, settings: Any, tmp_path: Path) -> list[Task]:
    place = {"BACKEND": "config.folder.Folder", "OPTIONS": {"location": tmp_path}}
    settings.STORAGES = {**settings.STORAGES, "artifacts": place}
    User.objects.filter(pk=alice.pk).update(is_superuser=True)
    filled = fill(alice, shown=("text/markdown", "text/csv"))
    tick()
    return filled


def test_no_text_comes_alive_on_any_page(console: Page, opened: Callable[[str], Page], tasks: list[Task]) -> None:
    def answer(dialog: Dialog) -> None:
        dialogs.append(dialog.message)
        dialog.dismiss()

    foreign: list[str] = []
    dialogs: list[str] = []
    console.on(
        "request", lambda request: foreign.append(request.url) if "mark" in urlsplit(request.url).netloc else None
    )
    console.on("dialog", answer)
    console.add_init_script(LISTENS)
    addresses = ["/tasks/", "/failures/", "/workers/", "/overview/", "/audit/", "/people/", "/account/", "/queues/"]
    addresses += [f"/tasks/{task.pk}/" for task in tasks[::4]]  # each text, in each sort of task now and then
    addresses += [f"/tasks/new/?kind={quote(text)}" for text in TEXTS[::3]]
    addresses += [f"/tasks/?q={quote(PAYLOADS[2])}", f"/nothing/{quote(PAYLOADS[1])}", f"/failures/{0:016x}/"]
    for address in addresses:
        page = opened(address)
        assert "xmark" in page.content() or "/nothing/" in address or address in ("/queues/", "/overview/"), address
        expect(page.locator(ALIVE)).to_have_count(0)

    page = opened(f"/tasks/new/?from={tasks[0].pk}")  # into the editor, which a script draws
    expect(page.locator(".prism-code-editor").first).to_contain_text("xmark")
    expect(page.locator(ALIVE)).to_have_count(0)

    page = opened("/tasks/")
    page.locator("#q").fill(f"kind:{PAYLOADS[0][:4]}")  # kinds complete it
    expect(page.locator("#completions")).to_contain_text("xmark")
    page.locator("#q").fill(PAYLOADS[2])
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_contain_text("xmark")
    expect(page.locator(ALIVE)).to_have_count(0)
    assert (foreign, dialogs) == ([], [])
