"""The overview in a real browser: reached by keys, live, in both themes, at any width, and without scripts."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.utils import timezone
from playwright.sync_api import Browser, BrowserContext, Page, expect

from apps.queues import broker_looks, health, spreads
from apps.queues.minutes import minute_of
from apps.queues.models import Minute
from tests.browser.test_pages import faults, sideways
from tests.queues.rows import ago, waiting

Open = Callable[[str], Page]


def remember(back: int, **counts: int) -> None:
    """The minute that began so many minutes before this one."""
    values = {"created": 0, "finished": 0, "failed": 0, "cancelled": 0, **counts}
    spread = spreads.packed({spreads.bucket(0.05): 3, spreads.bucket(2.0): 1})
    at = minute_of(timezone.now()) - timedelta(minutes=back)
    Minute.objects.update_or_create(at=at, queue="default", defaults={"waits": spread, "runs": spread, **values})


@pytest.fixture
def past(alice: User) -> None:
    cache.clear()
    for back in range(2, 55):
        if back % 11:
            remember(back, created=40 + back % 7, finished=30 + back % 9, failed=back % 5, cancelled=back % 3 // 2)
    waiting(alice, dispatch_at=None, handed_at=ago(100), queue="a-name-that-never-ends" * 4)
    shared = {
        "millrace.outcomes": (0, 1),
        "millrace.artifacts": (3, 1),
        "millrace.dead": (0, 1),
        "millrace.bad": (2, 0),
    }
    names = ("default", "a-name-that-never-ends" * 4)
    broker_looks.note(shared, {f"millrace.tasks.{name}": (name, (0, 1)) for name in names})


def test_the_overview_is_reached_by_keys_and_lives(opened: Open, past: None) -> None:
    page = opened("/tasks/")
    expect(page.locator("#hour")).to_contain_text("finished")
    assert faults(page) == []
    assert sideways(page) == {}
    page.keyboard.press("g")
    page.keyboard.press("o")
    expect(page).to_have_title("Overview · Millrace")
    expect(page.locator("#live[data-htmx-powered]")).to_be_attached()
    page.get_by_text("The numbers as a table").click()
    expect(page.locator(".chart-throughput .of-finished").first).to_be_visible()
    said = page.locator(".chart-throughput figcaption p")
    before = said.inner_text()
    remember(1, created=1_000)
    health.beat_all({"relay": "", "sink": ""})
    expect(said).not_to_have_text(before)
    expect(page.locator(".numbers tbody tr").first).to_contain_text("1,000")
    expect(page.locator("#health-parts")).to_contain_text("Running.")
    page.get_by_role("link", name="7 d").click()
    expect(page.locator(".chart-wait .marks span")).to_have_count(8)


def test_no_state_of_the_overview_breaks_a_rule_or_scrolls_sideways(
    opened: Open, console: Page, alice: User, request: pytest.FixtureRequest
) -> None:
    cache.clear()
    found = faults(opened("/overview/"))
    request.getfixturevalue("past")
    for path in ("/overview/", "/overview/?span=24h", "/overview/?span=7d"):
        page = opened(path)
        page.get_by_text("The numbers as a table").click()
        found += faults(page)
        assert sideways(page) == {}, path
    assert found == []


def test_without_javascript_the_overview_is_there_by_reload(
    browser: Browser, sign_in: Callable[[BrowserContext], None], base_url: str, past: None
) -> None:
    context = browser.new_context(java_script_enabled=False, base_url=base_url)
    sign_in(context)
    page = context.new_page()
    page.goto("/tasks/")
    page.get_by_role("link", name="Overview").click()
    page.get_by_role("link", name="24 h").click()
    expect(page.locator(".chart-throughput")).to_contain_text("in the last 24 hours")
    page.get_by_text("The numbers as a table").click()
    expect(page.locator(".numbers tbody tr").first).to_be_visible()
    expect(page.locator("#balance")).to_contain_text("1 task was handed over more than a minute ago")
    context.close()
