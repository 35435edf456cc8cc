"""Millrace: bin/dev, on PostgreSQL or as it comes, on SQLite; one worker process for all slots, as Celery has one.

One by one a task is created by the service, as by any Django code in its process; many by `createTasks` over HTTP.
"""

import json
import os
import sqlite3
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from tests.benchmarks.peers import work

SETTINGS = {"": "-", "sqlite": "-"}
TASKS = 4_000
BULK_TASKS = 10_000
KIND = "demo.noop"
READY_SECONDS = 120
PORT = os.environ.get("PEERS_PORT", "")
CREATE_MANY = "mutation($input: [CreateTaskInput!]!) { createTasks(input: $input) { createdCount } }"


def workers() -> list[list[str]]:
    where = ["--port", PORT, "--var", os.environ["MILLRACE_VAR"]]
    return [["bin/dev", *where, "--workers", "1", "--concurrency", str(work.SLOTS)]]


class Producer:
    def __init__(self) -> None:
        _set_up()
        import urllib3
        from django.contrib.auth.models import User

        from apps.accounts import tokens
        from apps.accounts.permissions import Scope

        self._user = User.objects.get(username="admin")
        _, token = tokens.make(user=self._user, scopes=[Scope.TASKS_READ, Scope.TASKS_WRITE])
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        self._http = urllib3.PoolManager()

    def send(self, number: int) -> Any:
        from apps.tasks import services
        from apps.tasks.drafts import Draft

        return services.create(user=self._user, draft=Draft(**_task(number))).pk

    def send_many(self, numbers: Iterable[int]) -> None:
        body = json.dumps({"query": CREATE_MANY, "variables": {"input": [_task(number) for number in numbers]}})
        answer = self._http.request("POST", f"http://127.0.0.1:{PORT}/graphql/", body=body, headers=self._headers)
        assert "errors" not in answer.json(), answer.json()


class Watcher(work.Rows):
    def __init__(self) -> None:
        super().__init__("tasks_task", "id", "status = 'FINISHED'", _Sqlite() if work.SETTING == "sqlite" else None)


class _Sqlite(work.Sql):
    def __init__(self) -> None:
        self._connection: Any = sqlite3.connect(Path(os.environ["MILLRACE_VAR"], "millrace.sqlite3"))

    def one(self, question: str, *values: Any) -> Any:
        return super().one(question.replace("%s", "?"), *values)


def _task(number: int) -> dict[str, Any]:
    return {"name": "sum", "kind": KIND, "params": {"x": work.outcome(work.params(number))}}


def _set_up() -> None:
    """Once the stack is ready: it makes the secrets and the tables, and workers tell of their kinds."""
    import urllib3

    _wait(lambda: _is_ready(urllib3))
    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
    import django

    django.setup()
    from apps.tasks.models import Kind

    _wait(Kind.objects.filter(name=KIND).exists)  # a worker may be heard of before its kinds are


def _wait(is_there: Callable[[], bool]) -> None:
    end = time.monotonic() + READY_SECONDS
    while not is_there():
        assert time.monotonic() < end, "Millrace does not come up"
        time.sleep(0.1)


def _is_ready(urllib3: Any) -> bool:
    try:
        return bool(urllib3.request("GET", f"http://127.0.0.1:{PORT}/readyz", retries=False).status == 200)
    except urllib3.exceptions.HTTPError:
        return False
