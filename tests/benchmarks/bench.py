"""What the benchmarks share: a stack of their own, ways to give it work, and one to read its database meanwhile."""

import os
import random
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")

CREATE_ONE = "mutation($input: CreateTaskInput!) { createTask(input: $input) { task { number } } }"
CREATE_MANY = "mutation($input: [CreateTaskInput!]!) { createTasks(input: $input) { userErrors { message } } }"
MOST_AT_ONCE = 1_000
LEFT = "SELECT count(*) FROM (SELECT 1 FROM tasks_task WHERE status IN ('QUEUEING', 'RUNNING') LIMIT {most}) AS left_"

Ask = Callable[[str], Any]  # a question in SQL -> its one value


@contextmanager
def running(database: str, workers: int, **options: Any) -> Iterator[tuple[Any, Ask]]:
    """A `tests.fixtures.stack.Stack` on "sqlite" or "postgresql", which waits for the disk as in production."""
    os.environ["MILLRACE_TEST_DATABASE"] = database  # read when the settings are, below
    import django

    django.setup()
    from tests.fixtures.stack import Stack

    with tempfile.TemporaryDirectory(prefix="millrace-benchmark-") as folder:
        database_url = fresh_database()
        stack: Any = Stack(Path(folder), workers=workers, database_url=database_url, **options)
        stack.start()
        try:
            stack.database_url = database_url
            yield stack, _reader(stack)
        finally:
            stack.stop()


def fresh_database() -> str:
    """The URL of an empty one on the server of the tests' settings, there to be told by `running`; "" for SQLite."""
    import psycopg
    from django.conf import settings

    if settings.DATABASES["default"]["ENGINE"].endswith("sqlite3"):
        return ""
    server, name = os.environ["DATABASE_URL"], f"bench_{time.monotonic_ns()}"
    with psycopg.connect(server, autocommit=True) as connection:
        for setting in ("fsync = on", "synchronous_commit = on", "full_page_writes = on"):  # the tests do without
            connection.execute(f"ALTER SYSTEM SET {setting}")
        connection.execute("SELECT pg_reload_conf()")
        connection.execute(f"CREATE DATABASE {name}")
    return server.replace("/postgres?", f"/{name}?")


def noop(number: int) -> dict[str, Any]:
    return {"name": f"n{number}", "kind": "demo.noop", "params": {"x": number}}


def create_many(stack: Any, count: int) -> None:
    for first in range(0, count, MOST_AT_ONCE):
        tasks = [noop(number) for number in range(first, min(first + MOST_AT_ONCE, count))]
        assert stack.call(CREATE_MANY, input=tasks)["createTasks"]["userErrors"] == []


def create_one_by_one(stack: Any, count: int) -> None:
    for number in range(count):
        assert stack.call(CREATE_ONE, input=noop(number))["createTask"]["task"]


def rate(ask: Ask, count: int, create: Callable[[], None]) -> float:
    """Tasks a second, from the first create call to the last outcome in the database."""
    started = time.perf_counter()
    create()
    wait_until_left(ask, 0)
    return count / (time.perf_counter() - started)


def wait_until_left(ask: Ask, count: int) -> None:
    """Returns when no more than so many tasks have no outcome."""
    while ask(LEFT.format(most=count + 1)) > count:
        time.sleep(0.01)


def latency(stack: Any, ask: Ask) -> float:
    """Milliseconds from a `createTask` call on an idle system until the row says FINISHED.

    Read from the database every half millisecond; the pause before it is random, so that it does not lock on to
    anybody's rhythm.
    """
    time.sleep(random.uniform(0.04, 0.08))
    started = time.perf_counter()
    created = stack.call(CREATE_ONE, input=noop(0))
    question = f"SELECT status FROM tasks_task WHERE id = {created['createTask']['task']['number']}"
    while ask(question) != "FINISHED":
        time.sleep(0.0005)
    return (time.perf_counter() - started) * 1000


def percentile(values: list[float], percent: int) -> float:
    return sorted(values)[max(0, len(values) * percent // 100 - 1)]


def median(values: list[float]) -> float:
    return statistics.median(values)


def connect(stack: Any) -> Any:
    """To the database of a stack that `running` gave."""
    import psycopg

    if stack.database_url:
        return psycopg.connect(stack.database_url)
    return sqlite3.connect(stack.var / "millrace.sqlite3")


def _reader(stack: Any) -> Ask:
    connection = connect(stack)
    if stack.database_url:
        connection.autocommit = True
    return lambda question: connection.execute(question).fetchone()[0]
