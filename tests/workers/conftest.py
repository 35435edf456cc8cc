"""Fixtures of this folder."""

import pytest

from tests.workers.fixtures import rabbit, start, web, worker
from tests.workers.shared import keep_together, note_following, one_slot, shared, two_slots

__all__ = ["one_slot", "rabbit", "shared", "start", "two_slots", "web", "worker"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    keep_together(items)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    """Before the fixtures' ends, which ask."""
    note_following(item, nextitem)
