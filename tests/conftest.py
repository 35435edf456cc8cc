"""The fixtures shared by all folders."""

import pytest
from django.core.cache import cache

pytest_plugins = [
    "tests.fixtures.broker",
    "tests.fixtures.browser",
    "tests.fixtures.processes",
    "tests.fixtures.stack",
]
DATABASE = {"db", "transactional_db", "live_server"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks what may use the database: pytest-django lets nothing else get at it."""
    for item in items:
        if item.get_closest_marker("django_db") or not DATABASE.isdisjoint(getattr(item, "fixturenames", ())):
            item.add_marker("database")


@pytest.fixture(autouse=True)
def _nothing_from_the_test_before() -> None:
    """What is remembered for a second (whether all is well) is of another test's database."""
    cache.clear()
