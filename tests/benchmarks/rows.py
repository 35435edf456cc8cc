"""A million tasks in a database of their own, for what has to hold among so many."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

KINDS = {"demo.noop": 600, "montecarlo.sde": 300, "demo.coin": 99, "report.monthly": 1}  # of a thousand
# Of ten thousand; the newest ones wait and run.
FAILED, CANCELLED = 500, 100
OWNERS = {"sam": 700, "alice": 299, "bob": 1}


@contextmanager
def filled(database: str, count: int) -> Iterator[dict[str, Any]]:
    """The people by name: sam is staff and owns most, alice owns much, bob a thousandth."""
    with empty(database) as people:
        fill(count, people)
        yield people


@contextmanager
def empty(database: str) -> Iterator[dict[str, Any]]:
    """The same people and kinds, without tasks."""
    with tempfile.TemporaryDirectory(prefix="millrace-rows-", dir=os.environ.get("TMPDIR")) as folder:
        use_new_database(database, Path(folder))
        from django.contrib.auth.models import User
        from django.utils import timezone

        from apps.tasks.models import Kind

        people = {name: User.objects.create_user(name, is_staff=name == "sam") for name in OWNERS}
        Kind.objects.bulk_create(Kind(name=name, announced_at=timezone.now()) for name in KINDS)
        yield people


def use_new_database(database: str, folder: Path) -> None:
    """Sets Django up, on an empty one: "sqlite" in the folder, or "postgresql"."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    os.environ["MILLRACE_TEST_DATABASE"] = database  # read when the settings are, below
    import django

    django.setup()
    from django.conf import settings
    from django.core.management import call_command

    _name_new_database(settings.DATABASES["default"], folder)
    call_command("migrate", verbosity=0)


def fill(count: int, people: dict[str, Any]) -> None:
    from django.db import connection

    newest = datetime.now(UTC)
    with connection.cursor() as cursor:
        postgresql = connection.vendor == "postgresql"
        numbers = "generate_series(1::bigint, %(count)s) AS s(n)" if postgresql else _COUNTING
        ago = "%(newest)s::timestamptz - make_interval(secs => (%(count)s - n) * 0.5)" if postgresql else _AGO
        values: dict[str, Any] = {
            "count": count,
            "newest": newest.isoformat(),
            "newest_s": newest.timestamp(),
            **_owners(people),
        }
        cursor.execute(f"INSERT INTO tasks_task ({', '.join(_COLUMNS)}) SELECT {_values(ago)} FROM {numbers}", values)
        cursor.execute(_ATTEMPTS)
        cursor.execute("INSERT INTO tasks_clock (id, ticks, forgotten) VALUES (1, 1, 0) ON CONFLICT DO NOTHING")
    if postgresql:
        connection.connection.execute("VACUUM ANALYZE")


def queued(vendor: str, count: int, owner: int) -> str:
    """SQL that has so many tasks wait, all of them due."""
    postgresql = vendor == "postgresql"
    now = "now()" if postgresql else "strftime('%Y-%m-%d %H:%M:%f000', 'now')"
    numbers = f"generate_series(1, {count}) AS s(n)" if postgresql else _COUNTING % {"count": count}
    values = {
        "name": "'waits ' || n", "kind": "'demo.noop'", "params": "'{\"x\": 1}'", "queue": "'default'",
        "status": "'QUEUEING'", "reason": "''", "attempt": "1", "worker": "''", "value_text": "''",
        "created_by_id": str(owner), "created_at": now, "dispatch_at": now, "errors": "0", "crashes": "0",
        "max_attempts": "1", "max_crashes": "3", "retry_seconds": "10", "request_digest": "''", "progress_text": "''",
    }  # fmt: skip
    return f"INSERT INTO tasks_task ({', '.join(values)}) SELECT {', '.join(values.values())} FROM {numbers}"


def _owners(people: dict[str, Any]) -> dict[str, int]:
    return {name: person.pk for name, person in people.items()}


def _name_new_database(settings: dict[str, Any], folder: Path) -> None:
    if settings["ENGINE"].endswith("sqlite3"):
        settings["NAME"] = str(folder / "rows.sqlite3")
        return
    import psycopg

    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as server:
        server.execute("CREATE DATABASE rows")
    settings["NAME"] = "rows"


_COUNTING = "(WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < %(count)s) SELECT n FROM s)"
_AGO = "strftime('%%Y-%%m-%%d %%H:%%M:%%f000', %(newest_s)s - (%(count)s - n) * 0.5, 'unixepoch')"
# Numbers that look as if by chance, the same in each run.
_CHANCE = "((n * 7919 + n / 1000 * 104729) %% {of})"


def _values(ago: str) -> str:
    """One for each of _COLUMNS."""
    status = (
        f"CASE WHEN n > %(count)s - 10 THEN 'RUNNING' WHEN n > %(count)s - 10000 THEN 'QUEUEING'"
        f" WHEN {_CHANCE.format(of=10000)} < {FAILED} THEN 'FAILED'"
        f" WHEN {_CHANCE.format(of=10000)} < {FAILED + CANCELLED} THEN 'CANCELLED' ELSE 'FINISHED' END"
    )
    ended = "n <= %(count)s - 10000"
    values = {
        "id": "n",
        "name": f"'fit ' || {_CHANCE.format(of=99991)} || ' of the nightly run'",
        "kind": _share(KINDS, 1000),
        "params": "'{\"x\": 1}'",
        "queue": "'default'",
        "status": status,
        "reason": f"CASE WHEN {_CHANCE.format(of=10000)} < {FAILED} AND {ended} THEN 'ERROR' ELSE '' END",
        "attempt": "1",
        "worker": f"CASE WHEN {ended} THEN 'host-' || (n %% 7) ELSE '' END",
        "value": f"CASE WHEN {ended} THEN {_CHANCE.format(of=99989)} / 7.0 END",
        "value_text": f"CASE WHEN {ended} THEN '0.25' ELSE '' END",
        "created_by_id": _share(OWNERS, 997, "%({name})s"),
        "created_at": ago,
        "started_at": f"CASE WHEN {ended} THEN {ago} END",
        "finished_at": f"CASE WHEN {ended} THEN {ago} END",
        "run_seconds": f"CASE WHEN {ended} THEN {_CHANCE.format(of=86399)} / 100.0 END",
        "errors": "0",
        "crashes": "0",
        "max_attempts": "1",
        "max_crashes": "3",
        "retry_seconds": "10",
        "request_digest": "''",
        "progress_text": "''",
    }
    return ", ".join(values[column] for column in _COLUMNS)


def _share(shares: dict[str, int], of: int, form: str = "'{name}'") -> str:
    """Each by its share of a thousand; the last takes the rest."""
    *first, last = shares
    chance, below, cases = _CHANCE.format(of=of), 0, ""
    for name in first:
        below += shares[name] * of // 1000
        cases += f" WHEN {chance} < {below} THEN {form.format(name=name)}"
    return f"CASE{cases} ELSE {form.format(name=last)} END"


_COLUMNS = (
    "id", "name", "kind", "params", "queue", "status", "reason", "attempt", "worker", "value", "value_text",
    "created_by_id", "created_at", "started_at", "finished_at", "run_seconds", "errors", "crashes", "max_attempts",
    "max_crashes", "retry_seconds", "request_digest", "progress_text",
)  # fmt: skip
_ATTEMPTS = (
    "INSERT INTO tasks_attempt (task_id, number, worker, status, reason, started_at, finished_at, run_seconds,"
    " error_type, error_message, traceback, environment)"
    " SELECT id, 1, worker, status, reason, started_at, finished_at, run_seconds,"
    " CASE WHEN status = 'FAILED' THEN 'ValueError' ELSE '' END,"
    " CASE WHEN status = 'FAILED' THEN 'no convergence after ' || id || ' steps' ELSE '' END, '', ''"
    " FROM tasks_task WHERE started_at IS NOT NULL"
)
