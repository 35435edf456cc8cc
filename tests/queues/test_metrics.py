"""What Prometheus reads at /metrics, and who may."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from apps.accounts import tokens
from apps.accounts.permissions import Scope
from apps.queues import health
from apps.queues.models import Minute, Queue
from apps.tasks.models import Task

pytestmark = pytest.mark.django_db


def told(client: Client) -> dict[tuple[str, str], float]:
    """By name and label; read as Prometheus does."""
    answer = client.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    families = text_string_to_metric_families(answer.text)
    return {(each.name, "".join(each.labels.values())): each.value for family in families for each in family.samples}


def test_queues_minutes_and_health_are_told(client: Client, alice: User) -> None:
    now = timezone.now()
    for name in ("relay", "broker"):
        health.beat(name)
    odd = 'a "queue" \\ of\nlines'
    Queue.objects.create(name=odd, paused_at=now)
    for status, queue in (("QUEUEING", "default"), ("QUEUEING", odd), ("RUNNING", odd)):
        due = now - timedelta(minutes=5) if status == "QUEUEING" else None
        Task.objects.create(
            name="n", kind="k", queue=queue, status=status, created_by=alice, created_at=now, dispatch_at=due
        )
    for minutes, failed in ((2, 9), (1, 3)):
        at = now.replace(second=0, microsecond=0) - timedelta(minutes=minutes)
        Minute.objects.create(at=at, queue="default", created=7, finished=4, failed=failed, cancelled=0)
    client.force_login(alice)
    found = told(client)
    assert found["millrace_queue_waiting", "default"] == found["millrace_queue_waiting", odd] == 1
    assert found["millrace_queue_running", odd] == found["millrace_queue_paused", odd] == 1
    assert found["millrace_queue_oldest_seconds", odd] >= 300
    assert found["millrace_tasks_failed_per_minute", "default"] == 3
    assert found["millrace_well", "relay"] == 1
    assert found["millrace_well", "sink"] == found["millrace_workers", ""] == 0


def test_a_token_that_may_read_is_enough_and_no_other_is(client: Client, alice: User) -> None:
    def asked(*scopes: Scope) -> int:
        token = tokens.make(user=alice, scopes=list(scopes))[1]
        return int(client.get("/metrics", headers={"Authorization": f"Bearer {token}"}).status_code)

    assert asked(Scope.TASKS_READ) == 200
    assert asked(Scope.OPS) == 403
    refused = client.get("/metrics", headers={"Authorization": "Bearer none"})
    assert (refused.status_code, refused.headers["WWW-Authenticate"]) == (401, "Bearer")
    assert client.get("/metrics").headers["Location"] == "/login/?next=/metrics"
