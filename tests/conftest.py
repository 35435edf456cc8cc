"""The fixtures shared by all folders."""

import pytest
from django.core.cache import cache

pytest_plugins = [
    "tests.fixtures.broker",
    "tests.fixtures.browser",
    "tests.fixtures.processes",
    "tests.fixtures.stack",
]


@pytest.fixture(autouse=True)
def _nothing_from_the_test_before() -> None:
    """What is remembered for a second (whether all is well) is of another test's database."""
    cache.clear()
