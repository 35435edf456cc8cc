"""django-tasks with its database backend, PostgreSQL: a process for each slot, which looks ten times a second."""

import os
import sys
from typing import Any

import django

from tests.benchmarks.peers import work

os.environ["DJANGO_SETTINGS_MODULE"] = "tests.benchmarks.peers.django_settings"
django.setup()

from django_tasks import task  # noqa: E402

SETTINGS = {"": "-"}
TASKS = 500


@task()
def noop(given: dict[str, Any]) -> float:
    return work.outcome(given)


def prepare() -> list[list[str]]:
    return [[sys.executable, "-m", "django", "migrate", "-v", "0"]]


def workers() -> list[list[str]]:
    settings = ["--settings", os.environ["DJANGO_SETTINGS_MODULE"]]
    how = ["--interval", "0.1", "--no-startup-delay", "-v", "0"]
    return [[sys.executable, "-m", "django", "db_worker", *how, *settings] for _ in range(work.SLOTS)]


class Producer:
    def send(self, number: int) -> Any:
        return noop.enqueue(work.params(number)).id


def Watcher() -> work.Rows:  # noqa: N802 as the others' class
    return work.Rows("django_tasks_database_dbtaskresult", "id", "status = 'SUCCESSFUL'")
