"""Which of the kinds that a worker announces are recorded."""

import logging
from typing import Any

import pytest
from django.utils import timezone

from apps.queues import heartbeats
from apps.queues.models import Worker
from apps.tasks.models import Kind

pytestmark = pytest.mark.django_db

BEAT = {"host": "h", "pid": 7, "queues": ["default"], "concurrency": 2, "running": []}


def announce(**kind: Any) -> list[str]:
    """The names of the kinds that are known afterwards."""
    kinds = [{"name": "good", "schema": {}}, {"name": "odd", "schema": {"properties": {}}, **kind}]
    heartbeats.record([("w1", {**BEAT, "kinds": kinds})], timezone.now())
    return list(Kind.objects.values_list("name", flat=True))


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ({"name": "n" * 101}, "its name must be a text of 1 to 100 characters"),
        ({"name": ["odd"]}, "its name must be a text of 1 to 100 characters"),
        ({"name": "a\0b"}, "its name must be a text of 1 to 100 characters"),
        ({"doc": {"a": 1}}, "kind odd passed over: its doc must be a text"),
        ({"queue": ["q"]}, "its queue's name must be 1 to 100 letters"),
        ({"queue": "a b"}, "its queue's name must be 1 to 100 letters"),
        ({"schema": {"properties": {"x": {"$ref": "http://127.0.0.1:9/"}}}}, "http://127.0.0.1:9/ leads nowhere"),
        ({"schema": {"properties": {"x": {"$ref": "#/$defs/Gone"}}}}, "#/$defs/Gone leads nowhere"),
        ({"schema": {"$ref": "#"}}, "# leads back to itself"),
    ],
)
def test_a_kind_that_pages_could_not_show_is_passed_over_with_the_reason(
    caplog: pytest.LogCaptureFixture, kind: dict[str, Any], reason: str
) -> None:
    caplog.set_level(logging.WARNING)
    assert announce(**kind) == ["good"]
    assert reason in caplog.text


def test_a_pattern_in_the_dialect_of_the_workers_engine_is_no_reason() -> None:
    assert announce(schema={"properties": {"x": {"type": "string", "pattern": r"^\p{L}+$"}}}) == ["good", "odd"]


@pytest.mark.parametrize(
    "limit",
    [
        {"timeout_seconds": 0},
        {"timeout_seconds": 604_801},
        {"timeout_seconds": "60"},
        {"timeout_seconds": float("nan")},
        {"max_attempts": 0},
        {"max_attempts": 1.5},
        {"max_attempts": True},
        {"max_crashes": 101},
        {"retry_seconds": -1},
    ],
)
def test_a_kind_with_limits_that_cannot_be_kept_is_passed_over(
    caplog: pytest.LogCaptureFixture, limit: dict[str, Any]
) -> None:
    assert announce(**limit) == ["good"]
    assert f"kind odd passed over: {next(iter(limit))} cannot be" in caplog.text


def test_the_limits_of_a_kind_are_those_last_announced() -> None:
    def limits(**announced: Any) -> tuple[Any, ...]:
        announce(**announced)
        odd = Kind.objects.get(name="odd")
        return odd.timeout_seconds, odd.max_attempts, odd.max_crashes, odd.retry_seconds

    assert limits(timeout_seconds=60, max_attempts=4, max_crashes=1, retry_seconds=0) == (60, 4, 1, 0)
    assert limits(timeout_seconds=None, max_attempts=2) == (None, 2, 3, 10)


def test_kinds_are_known_though_a_bare_heartbeat_follows_in_the_same_batch() -> None:
    full = {**BEAT, "kinds": [{"name": "good", "schema": {}}], "environment": {"python": "3.11"}}
    heartbeats.record([("w1", full), ("w1", {**BEAT, "running": [7]})], timezone.now())
    assert Kind.objects.get().name == "good"
    worker = Worker.objects.get()
    assert worker.environment
    assert (worker.running, worker.environment.data) == ([7], {"python": "3.11"})


def test_a_worker_serves_the_kinds_that_it_has_announced_for_its_queues() -> None:
    kinds = [{"name": "good", "schema": {}}, {"name": "elsewhere", "schema": {}, "queue": "other"}, {"name": 7}]
    heartbeats.record([("w1", {**BEAT, "kinds": kinds})], timezone.now())
    heartbeats.record([("w1", BEAT)], timezone.now())
    known = Kind.objects.all()
    assert Worker.objects.without(known) == {"elsewhere"}
    heartbeats.record([("w1", {**BEAT, "kinds": kinds[1:]})], timezone.now())
    assert Worker.objects.without(known) == {"elsewhere", "good"}
