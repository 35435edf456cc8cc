"""Which of the kinds that a worker announces are recorded."""

import logging
from typing import Any

import pytest
from django.utils import timezone

from apps.queues import heartbeats
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
