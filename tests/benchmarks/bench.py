"""What the benchmarks share: a stack of their own, and a way to read its database while it works."""

import os
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")

CREATE_ONE = "mutation($input: CreateTaskInput!) { createTask(input: $input) { task { number } } }"
CREATE_MANY = "mutation($input: [CreateTaskInput!]!) { createTasks(input: $input) { userErrors { message } } }"

Ask = Callable[[str], Any]  # a question in SQL -> its one value


@contextmanager
def running(database: str, workers: int) -> Iterator[tuple[Any, Ask]]:
    """A `tests.fixtures.stack.Stack` on "sqlite" or "postgresql"."""
    os.environ["MILLRACE_TEST_DATABASE"] = database  # read when the settings are, below
    import django

    django.setup()
    from tests.fixtures.stack import Stack, new_database

    with tempfile.TemporaryDirectory(prefix="millrace-benchmark-") as folder:
        database_url = new_database()
        stack = Stack(Path(folder), workers=workers, database_url=database_url)
        stack.start()
        try:
            yield stack, _reader(stack, database_url)
        finally:
            stack.stop()


def percentile(values: list[float], percent: int) -> float:
    return sorted(values)[max(0, len(values) * percent // 100 - 1)]


def _reader(stack: Any, database_url: str) -> Ask:
    import psycopg

    if database_url:
        connection: Any = psycopg.connect(database_url, autocommit=True)
    else:
        connection = sqlite3.connect(f"file:{stack.var / 'millrace.sqlite3'}?mode=ro", uri=True)
    return lambda question: connection.execute(question).fetchone()[0]
