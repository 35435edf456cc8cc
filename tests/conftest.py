"""The fixtures shared by all folders."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings
from django.core.cache import cache
from whitenoise.middleware import WhiteNoiseMiddleware

from apps.accounts import rates

pytest_plugins = [
    "tests.fixtures.broker",
    "tests.fixtures.browser",
    "tests.fixtures.processes",
    "tests.fixtures.stack",
    "tests.fixtures.statements",
]
DATABASE = {"db", "transactional_db", "live_server"}


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Marks what may use the database: pytest-django lets nothing else get at it. Leaves out what only a server has."""
    if settings.DATABASES["default"]["ENGINE"].endswith("sqlite3"):
        of_server = [item for item in items if item.get_closest_marker("postgresql")]
        config.hook.pytest_deselected(items=of_server)
        items[:] = [item for item in items if item not in of_server]
    for item in items:
        if item.get_closest_marker("django_db") or not DATABASE.isdisjoint(getattr(item, "fixturenames", ())):
            item.add_marker("database")


@pytest.fixture(autouse=True)
def _nothing_from_the_test_before() -> None:
    """What is remembered (whether all is well, what somebody has changed) is of another test's database."""
    from apps.tasks import kinds  # noqa: PLC0415 models are there once pytest-django has set up

    cache.clear()
    rates.mutations.clear()
    kinds.forget()


@pytest.fixture(scope="session", autouse=True)
def _static_files_are_found_once() -> Iterator[None]:
    """Each test's client makes the middleware anew, and that looks at every file: a third of the time of such tests."""
    found: dict[str, Any] = {}
    find = WhiteNoiseMiddleware.add_files_from_finders

    def find_once(middleware: WhiteNoiseMiddleware) -> None:
        if not found:
            find(middleware)
            found.update(middleware.files)
        middleware.files.update(found)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(WhiteNoiseMiddleware, "add_files_from_finders", find_once)
        yield
