"""Changes to rows as somebody else makes them, and where they are seen."""

from typing import Any

from playwright.sync_api import Page

from apps.tasks.clock import tick
from apps.tasks.models import Task


def change(task: Task, **fields: Any) -> None:
    Task.objects.filter(pk=task.pk).update(**fields)
    tick()


def chip(page: Page, task: Task) -> Any:
    return page.locator(f"#task-{task.pk} .chip")
