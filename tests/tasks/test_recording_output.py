"""What attempts print, recorded: twice, late, out of order, anew, by another worker, and at which price."""

import itertools
from typing import Any

import pytest
from django.contrib.auth.models import User

from apps.queues.models import Environment
from apps.tasks import output
from apps.tasks.clock import ticks
from apps.tasks.drafts import Draft
from apps.tasks.models import Attempt, Kind, OutputPiece, Task
from apps.tasks.recording import record
from apps.tasks.services import create, create_many, delete
from tests.fixtures.statements import Statements
from tests.tasks.events import batch, failed, finished, printed, progress, returned, started
from workers.messages import HEAD_BYTES, TAIL_BYTES

pytestmark = pytest.mark.django_db


@pytest.fixture
def task(alice: User, kinds: dict[str, Kind]) -> Task:
    task = create(user=alice, draft=Draft(name="first", kind="demo.noop", params={"x": 1}))
    record([batch(started(task))])
    return task


def shown(task: Task, number: int = 1) -> str:
    """The output of the attempt's own worker; bytes that were left out as a number in brackets."""
    found = output.read(Attempt.objects.get(task=task, number=number))
    head, tail = ("".join(text for _, text in parts) for parts in (found.head_parts, found.tail_parts))
    return f"{head}[{found.left_out_bytes}]{tail}" if found.tail else head


def test_pieces_follow_each_other(task: Task) -> None:
    assert (
        record([batch(printed(task, 0, "one\n"), printed(task, 4, ("stderr", "zwei\u00e4"))), batch()])
        == ["APPLIED"] * 2
    )
    assert record([batch(printed(task, 10, "\n"))]) == ["APPLIED"]
    attempt = task.attempts.get()
    assert output.read(attempt).head_parts == [("stdout", "one\n"), ("stderr", "zwei\u00e4"), ("stdout", "\n")]
    assert output.read(attempt).total_bytes == 11


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_pieces_in_any_order_and_twice_make_the_same_output(task: Task, order: tuple[int, ...]) -> None:
    pieces = [printed(task, 0, "a"), printed(task, 1, "b"), printed(task, 2, "c")]
    for at in order:
        record([batch(pieces[at])])
    record([batch(*(pieces[at] for at in order)), batch(*pieces)])
    assert shown(task) == "abc"
    assert OutputPiece.objects.count() == 3


def test_what_comes_after_a_missing_piece_is_held_back(task: Task) -> None:
    record([batch(printed(task, 0, "a"), printed(task, 2, "c"))])
    assert shown(task) == "a"
    record([batch(printed(task, 1, "b"))])
    assert shown(task) == "abc"


def test_beyond_the_head_the_newest_is_kept_and_the_rest_counted(task: Task) -> None:
    record([batch(printed(task, 0, "h" * HEAD_BYTES), printed(task, HEAD_BYTES, "a1\n"))])
    assert shown(task) == f"{'h' * HEAD_BYTES}[0]a1\n"
    record([batch(printed(task, HEAD_BYTES + 903, "c3\n"), printed(task, HEAD_BYTES + 900, "b2\n"))])
    assert shown(task).removeprefix("h" * HEAD_BYTES) == "[900]b2\nc3\n"
    record([batch(printed(task, HEAD_BYTES + 900, "b2\n"))])
    assert shown(task).removeprefix("h" * HEAD_BYTES) == "[900]b2\nc3\n"


def test_of_a_tail_that_grows_no_more_is_kept_than_twice_what_is_shown(task: Task) -> None:
    line, position = "x" * 1_023 + "\n", HEAD_BYTES
    record([batch(printed(task, 0, "h" * HEAD_BYTES))])
    for _ in range(40):
        pieces = [printed(task, position + n * 1_024, line) for n in range(16)]
        position += 16 * 1_024
        record([batch(*pieces)])
    left = output.read(task.attempts.get())
    assert (left.total_bytes, left.left_out_bytes) == (position, position - HEAD_BYTES - TAIL_BYTES)
    assert "".join(text for _, text in left.tail_parts) == line * 64
    assert OutputPiece.objects.count() <= 1 + 2 * 64 + 1


def test_a_piece_comes_late_but_counts(task: Task) -> None:
    record([batch(printed(task, 0, "a"), failed(task))])
    assert record([batch(printed(task, 1, "b"))]) == ["APPLIED"]
    assert shown(task) == "ab"
    Task.objects.update(attempt=2)
    assert record([batch(printed(task, 2, "c"))]) == ["APPLIED"]
    assert shown(task) == "abc"


def test_a_piece_of_an_attempt_that_is_not_or_of_no_task_is_refused(task: Task) -> None:
    assert record([batch(printed(task, 0, "a", attempt=2))]) == ["STALE"]
    task.pk += 1000
    assert record([batch(printed(task, 0, "a"))]) == ["UNKNOWN_TASK"]
    assert not OutputPiece.objects.exists()


def test_a_run_that_begins_anew_starts_its_output_anew(task: Task) -> None:
    record([batch(printed(task, 0, "old "), printed(task, 4, "text"), printed(task, 99_999, "tail"))])
    before = output.mark(task.attempts.get())
    record([batch(returned(task), started(task), printed(task, 0, "new"))])
    assert shown(task) == "new"
    assert output.mark(task.attempts.get()).run != before.run


def test_two_runs_in_one_batch_leave_the_second(task: Task) -> None:
    record([batch(printed(task, 0, "old "), printed(task, 4, "text"), printed(task, 0, "new"), printed(task, 3, "er"))])
    assert shown(task) == "newer"


def test_only_the_output_of_the_attempt_s_own_worker_is_shown(task: Task) -> None:
    record([batch(printed(task, 0, "first"))])
    record([batch(started(task), printed(task, 0, "second"), worker="w2")])
    record([batch(printed(task, 5, " late"))])
    assert shown(task) == "second"


def test_output_goes_with_its_task(task: Task, alice: User) -> None:
    record([batch(printed(task, 0, "a"), finished(task))])
    delete(user=alice, numbers=[task.pk])
    assert not OutputPiece.objects.exists()
    assert record([batch(printed(task, 1, "b"))]) == ["UNKNOWN_TASK"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"position": -1}, {"size": None}, {"size": 2**63}, {"position": 2**62, "size": 2**62},
        {"position": 65_530, "size": 7}, {"parts": "text"}, {"parts": [["stdlog", "x"]]},
        {"parts": [["stdout", "\0"]]}, {"parts": [["stdout"]]}, {"parts": [["stdout", "x" * 65_537]]},
    ],
)  # fmt: skip
def test_a_malformed_piece_is_invalid_and_the_rest_is_recorded(task: Task, wrong: dict[str, Any]) -> None:
    assert record([batch({**printed(task, 0, "a"), **wrong}, finished(task))]) == ["INVALID", "APPLIED"]


def test_output_moves_no_table(task: Task) -> None:
    before = ticks()
    record([batch(printed(task, 0, "a"))])
    assert ticks() == before


def test_pieces_cost_as_many_statements_as_one_and_nothing_where_nothing_is_printed(
    alice: User, kinds: dict[str, Kind], statements: Statements
) -> None:
    tasks = create_many(user=alice, drafts=[Draft(name=str(n), kind="demo.noop") for n in range(50)])
    record([batch(*map(started, tasks))])
    counts = []
    for events in ([printed(tasks[0], 0, "a")], [printed(each, at, f"{at}") for each in tasks[1:] for at in range(2)]):
        with statements() as captured:
            record([batch(*events)])
        about_output = [query["sql"] for query in captured if "outputpiece" in query["sql"]]
        counts.append(len({sql.split("VALUES")[0][:60] for sql in about_output}))  # SQLite runs one row by row
    assert counts == [2, 2]  # the first pieces looked up, all of them written
    with statements() as captured:
        record([batch(*map(finished, tasks))])
    assert not any("outputpiece" in query["sql"] for query in captured)


def test_progress_is_kept_while_it_runs(task: Task) -> None:
    before = ticks()
    assert record([batch(progress(task, 0.421, "epoch 3"))]) == ["APPLIED"]
    task.refresh_from_db()
    assert (task.progress, task.progress_text, task.progress_at is not None) == (0.421, "epoch 3", True)
    assert ticks() == before + 1
    assert record([batch(progress(task, 0.421, "epoch 3"))]) == ["DUPLICATE"]
    assert record([batch(progress(task, 0.4215, "epoch 3"))]) == ["APPLIED"]
    assert ticks() == before + 1  # still 42 %
    assert record([batch(progress(task, 0.5), worker="w2"), batch(progress(task, 0.5, attempt=2))]) == ["STALE"] * 2


def test_progress_in_one_batch_with_the_start_and_of_a_new_run(task: Task) -> None:
    assert record([batch(started(task), progress(task, 0.1), progress(task, 0.2), worker="w2")]) == ["APPLIED"] * 3
    task.refresh_from_db()
    assert (task.worker, task.progress) == ("w2", 0.2)
    record([batch(started(task), worker="w3")])
    task.refresh_from_db()
    assert (task.progress, task.progress_text, task.progress_at) == (None, "", None)


def test_progress_after_the_end_changes_nothing(task: Task) -> None:
    assert record([batch(finished(task), progress(task, 0.9))]) == ["APPLIED", "DUPLICATE"]


def test_an_attempt_keeps_what_it_used_and_where_it_ran(task: Task) -> None:
    environment = {"python": "3.11.2", "packages": {"numpy": "2.0.0"}}
    beat = {"host": "h", "pid": 7, "queues": ["default"], "concurrency": 2, "running": []}
    for worker in ("w1", "w2"):
        record([batch(worker=worker, heartbeat={**beat, "kinds": [], "environment": environment})])
    record([batch(finished(task, cpu_seconds=1.5, peak_bytes=2**33))])
    attempt = task.attempts.get()
    assert (attempt.cpu_seconds, attempt.peak_bytes) == (1.5, 2**33)
    assert Environment.objects.get().data == environment
    assert attempt.environment == Environment.objects.get().digest
