"""The fixtures shared by all folders."""

pytest_plugins = [
    "tests.fixtures.broker",
    "tests.fixtures.browser",
    "tests.fixtures.processes",
    "tests.fixtures.stack",
]
