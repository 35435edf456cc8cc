"""A browser signed in as alice; the tests write the rows themselves, and whatever the browser complains of fails."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from playwright.sync_api import BrowserContext, Page, expect

from apps.queues.models import Worker
from apps.tasks.clock import tick
from apps.tasks.models import Clock, Kind, Task
from workers.sandbox.kind import announcement

COIN = {
    "type": "object",
    "properties": {
        "failure_rate": {"type": "number", "minimum": 0, "maximum": 1, "default": 0.4, "description": "How often."},
        "sides": {"type": "integer", "minimum": 2, "default": 2},
        "fair": {"type": "boolean", "default": True},
        "grid": {"type": "array", "items": {"type": "number"}, "default": [1.0]},
    },
    "additionalProperties": False,
}


@pytest.fixture
def alice(transactional_db: None) -> User:
    Clock.objects.get_or_create(id=1)
    return User.objects.create_user("alice", is_staff=True)


@pytest.fixture
def kinds(alice: User) -> None:
    now = timezone.now()
    Kind.objects.create(name="demo.coin", doc="Throws a coin.", schema=COIN, announced_at=now)
    Kind.objects.create(name="demo.noop", doc="Returns x.", schema={"properties": {"x": {}}}, announced_at=now)
    fields: dict[str, Any] = {"host": "h", "pid": 1, "queues": ["default"], "concurrency": 1, "started_at": now}
    fields["kinds"] = ["demo.coin", "demo.noop"]
    Worker.objects.create(name="w1", last_seen_at=now + timedelta(hours=1), **fields)


@pytest.fixture
def code(kinds: None, alice: User) -> Kind:
    """The kind that runs what a person writes, which alice may create."""
    User.objects.filter(pk=alice.pk).update(is_superuser=True)
    told = {name: announcement()[name] for name in ("name", "doc", "schema", "runs_code")}
    return Kind.objects.create(**told, announced_at=timezone.now())


@pytest.fixture
def make(alice: User) -> Callable[..., Task]:
    def a_task(**fields: Any) -> Task:
        now = timezone.now()
        defaults = {"name": "a task", "kind": "demo.noop", "created_by": alice, "created_at": now}
        task = Task.objects.create(**{**defaults, **fields})
        tick()
        return task

    return a_task


@pytest.fixture
def sign_in(live_server: Any, alice: User, kinds: None) -> Callable[[BrowserContext], None]:
    def with_cookie(context: BrowserContext) -> None:
        client = Client()
        client.force_login(alice)
        value = client.cookies[settings.SESSION_COOKIE_NAME].value
        context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": value, "url": live_server.url}])

    return with_cookie


@pytest.fixture(scope="session")
def base_url(live_server: Any) -> str:
    return str(live_server.url)


@pytest.fixture
def console(context: BrowserContext, watched: Page, sign_in: Callable[[BrowserContext], None]) -> Page:
    """The signed-in page."""
    sign_in(context)
    context.set_default_timeout(20_000)
    return watched


@pytest.fixture
def opened(console: Page) -> Callable[[str], Page]:
    """Opens an address and waits until it is alive."""

    def visit(path: str) -> Page:
        console.goto(path)
        if console.locator("#live").count():
            expect(console.locator("#live[data-htmx-powered]")).to_be_attached()
        return console

    return visit
