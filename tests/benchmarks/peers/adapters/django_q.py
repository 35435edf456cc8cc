"""django-q2 with the database as its broker, PostgreSQL."""

import os
import sys
from typing import Any

import django

from tests.benchmarks.peers import work

SETTINGS = {"": "-"}
TASKS = 500
os.environ["DJANGO_SETTINGS_MODULE"] = "tests.benchmarks.peers.django_settings"
django.setup()


def noop(given: dict[str, Any]) -> float:
    return work.outcome(given)


def prepare() -> list[list[str]]:
    return [[sys.executable, "-m", "django", "migrate", "-v", "0"]]


def workers() -> list[list[str]]:
    django_settings = os.environ["DJANGO_SETTINGS_MODULE"]
    return [[sys.executable, "-m", "django", "qcluster", "--settings", django_settings]]


class Producer:
    def __init__(self) -> None:
        from django_q.brokers import get_broker

        self._broker = get_broker()  # else each call makes a new one

    def send(self, number: int) -> Any:
        from django_q.tasks import async_task

        return async_task(f"{__name__}.noop", work.params(number), broker=self._broker)


def Watcher() -> work.Rows:  # noqa: N802 as the others' class
    return work.Rows("django_q_task", "id", "success")
