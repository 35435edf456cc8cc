"""What one task costs PostgreSQL: ways there and back, each of which takes longer than what is done at its end."""

import math
from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib.auth.models import User

from apps.audit.models import Entry
from apps.relay.schedule import due, mark_handed_over
from apps.tasks.batches import array
from apps.tasks.cursors import repeating
from apps.tasks.drafts import Draft
from apps.tasks.models import Change, Kind
from apps.tasks.recording import record
from apps.tasks.services import create, create_many
from apps.tasks.writes import together, write
from tests.fixtures.statements import Statements
from tests.tasks.events import batch, finished

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.postgresql,
]

DRAFT = Draft(name="n", kind="demo.noop")


def test_a_task_takes_few_ways_there_and_back(alice: User, kinds: dict[str, Kind], statements: Statements) -> None:
    record([batch(finished(create(user=alice, draft=DRAFT)))])  # the first one meets what is looked up now and then
    with statements() as creating:
        task = create(user=alice, draft=DRAFT)
    with statements() as handing_over:
        mark_handed_over(due("default", 10))
    with statements() as recording:
        assert record([batch(finished(task))]) == ["APPLIED"]
    assert "pg_notify" in creating[0]["sql"]  # no relay listens on this host
    # BEGIN and COMMIT count; recording asks what this worker has installed, as it has never announced it.
    assert [len(creating), len(handing_over), len(recording)] == [1, 2, 5]


def test_many_tasks_are_one_entry_and_one_note(alice: User, kinds: dict[str, Kind]) -> None:
    numbers = [task.pk for task in create_many(user=alice, drafts=[DRAFT] * 3)]
    entry = Entry.objects.get(act="task.create")
    assert (entry.object, entry.count) == (f"task {numbers[0]}", 3)
    assert Change.objects.get().changed == ",".join(map(str, numbers))


def test_writes_together_wait_for_the_end_and_for_no_error() -> None:
    with pytest.raises(ZeroDivisionError), together():
        write("INSERT INTO tasks_clock (id, ticks) VALUES (1, %s)", [1 // 0])
    with together():
        write("INSERT INTO tasks_clock (id, ticks) VALUES (1, %s) RETURNING ticks", [7], "made")
        with together():
            write("INSERT INTO tasks_change (tick, at, changed, gone) SELECT ticks, now(), '', '' FROM made", [])
        assert not Change.objects.exists()
    assert Change.objects.get().tick == 7


@pytest.mark.parametrize(
    ("type_", "values"),
    [
        ("text", ["", "NULL", None, 'a "b"', "\\", '\\"', "{a,b}", " a ", "one\ntwo\t", "ä😀", "'; --", "\u2028"]),
        ("bigint", [0, -1, 2**63 - 1, None]),
        ("double precision", [0.1, -0.0, 1e308, 5e-324, math.inf, -math.inf, None]),
        ("boolean", [True, False, None]),
        ("timestamptz", [datetime(2026, 2, 28, 23, 59, 59, 1, UTC), datetime(1, 1, 1, tzinfo=UTC), None]),
    ],
)
def test_an_array_arrives_as_it_was(type_: str, values: list[Any]) -> None:
    with repeating() as cursor:
        cursor.execute(f"SELECT * FROM unnest(%s::{type_}[])", [array(values)])  # noqa: S608 no values
        assert [value for (value,) in cursor.fetchall()] == values
