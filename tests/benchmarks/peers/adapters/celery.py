"""Celery on RabbitMQ, outcomes in PostgreSQL by django-celery-results: prefork, as many processes as slots."""

import os
import sys
from collections.abc import Iterable
from typing import Any

import django
from celery import Celery

from tests.benchmarks.peers import work

SETTINGS = {
    "late": "-",
    "early": "publishes without confirms; a killed worker's tasks are lost",
}
TASKS = 1_500
os.environ["DJANGO_SETTINGS_MODULE"] = "tests.benchmarks.peers.django_settings"
django.setup()
late = work.SETTING == "late"
app = Celery("peers", broker=work.RABBITMQ, backend="django-db")
app.conf.update(
    task_default_queue="celery-peers",
    worker_prefetch_multiplier=64,
    task_acks_late=late,
    broker_transport_options={"confirm_publish": True} if late else {},
    worker_send_task_events=False,
    broker_connection_retry_on_startup=True,
    CELERY_DB_REUSE_MAX=100_000,  # by default it connects to the database anew for each task: 130 tasks a second
)


@app.task(name="noop")
def noop(given: dict[str, Any]) -> float:
    return work.outcome(given)


def prepare() -> list[list[str]]:
    return [[sys.executable, "-m", "django", "migrate", "-v", "0"]]


def workers() -> list[list[str]]:
    where = ["-m", "celery", "-A", __name__, "worker", "-c", str(work.SLOTS)]
    return [[sys.executable, *where, "-l", "warning", "--without-gossip", "--without-mingle"]]


class Producer:
    def send(self, number: int) -> Any:
        return noop.delay(work.params(number)).id

    def send_many(self, numbers: Iterable[int]) -> None:
        """It has no call for many: this is its loop with one connection for all of them."""
        with app.producer_pool.acquire(block=True) as producer:
            for number in numbers:
                noop.apply_async((work.params(number),), producer=producer)


def Watcher() -> work.Rows:  # noqa: N802 as the others' class
    return work.Rows("django_celery_results_taskresult", "task_id", "status = 'SUCCESS'")
