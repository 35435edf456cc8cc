"""Nothing that a task has started outlives it, however the task or its worker ends."""

import json
import os
import signal
import tempfile
from pathlib import Path

import pytest

from tests.fixtures.processes import Process, eventually
from tests.workers.fixtures import Start
from tests.workers.rig import Rabbit, children_of, is_alive, ready, task, template_of
from workers import scratch


def pids_in(ledger: Path) -> list[int]:
    return [int(line) for line in ledger.read_text().splitlines()]


def test_what_a_finished_task_has_left_running_is_killed_before_its_outcome(
    rabbit: Rabbit, one_slot: Process, tmp_path: Path
) -> None:
    pids = tmp_path / "pids"
    rabbit.put(task(1, "test.leave", pids=str(pids)), task(2))
    assert rabbit.outcome(1)["result"] == '"left"'
    left = pids_in(pids)
    assert len(left) == 2
    eventually(lambda: not any(is_alive(pid) for pid in left))
    assert rabbit.outcome(2)["status"] == "FINISHED"
    assert "new process" not in one_slot.output


def test_what_a_crashed_task_has_left_running_is_killed(rabbit: Rabbit, two_slots: Process, tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    rabbit.put(task(1, "test.sleep", seconds=2), task(2, "test.leave", pids=str(pids), end="kill"))
    assert rabbit.outcome(2)["reason"] == "CRASHED"
    left = pids_in(pids)
    assert len(left) == 2
    eventually(lambda: not any(is_alive(pid) for pid in left))
    assert rabbit.outcome(1)["status"] == "FINISHED"


def test_what_a_killed_worker_has_left_running_is_killed(rabbit: Rabbit, worker: Start, tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    process = ready(worker())
    rabbit.put(task(1, "test.leave", pids=str(pids), end="sleep"))
    eventually(lambda: pids.exists() and len(pids_in(pids)) == 2)
    left = [*pids_in(pids), *children_of(process.child.pid)]
    process.kill()
    eventually(lambda: not any(is_alive(pid) for pid in left))


def test_what_was_running_below_a_killed_template_is_killed(rabbit: Rabbit, one_slot: Process, tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    rabbit.put(task(1, "test.leave", pids=str(pids), end="sleep"))
    eventually(lambda: pids.exists() and len(pids_in(pids)) == 2)
    template = template_of(one_slot)
    left = [*pids_in(pids), *children_of(one_slot.child.pid)]
    os.kill(template, signal.SIGKILL)
    assert rabbit.outcome(1)["reason"] == "CRASHED"
    eventually(lambda: not any(is_alive(pid) for pid in left))
    eventually(lambda: len(children_of(one_slot.child.pid)) == 2)  # none of them as a zombie


def test_no_process_is_left_as_a_zombie(rabbit: Rabbit, one_slot: Process, tmp_path: Path) -> None:
    for number, end in enumerate(("return", "kill"), 1):
        rabbit.put(task(number, "test.leave", pids=str(tmp_path / end), end=end))
        rabbit.outcome(number)
    rabbit.put(task(3))
    rabbit.outcome(3)
    eventually(lambda: len(children_of(one_slot.child.pid)) == 2)  # the template and one child


def test_a_child_has_a_folder_for_temporary_files_that_goes_with_it(rabbit: Rabbit, worker: Start) -> None:
    process = ready(worker())
    rabbit.put(task(1, "test.temporary"))
    folder = Path(json.loads(rabbit.outcome(1)["result"]))
    assert folder.is_dir()
    assert folder.parent.parent.stat().st_mode & 0o777 == 0o700
    [child] = children_of(template_of(process))
    os.kill(child, signal.SIGKILL)
    eventually(lambda: not folder.parent.exists())
    rabbit.put(task(2, "test.temporary"))
    folder = Path(json.loads(rabbit.outcome(2)["result"]))
    process.kill()
    eventually(lambda: not folder.parent.parent.exists())


def test_the_folders_of_a_killed_template_are_removed(rabbit: Rabbit, one_slot: Process) -> None:
    rabbit.put(task(1, "test.temporary"))
    folder = Path(json.loads(rabbit.outcome(1)["result"]))
    os.kill(template_of(one_slot), signal.SIGKILL)
    eventually(lambda: not folder.parent.parent.exists())


def test_a_folder_that_nobody_holds_is_removed_by_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    left, just_made, held = tmp_path / f"{scratch.PREFIX}left", tmp_path / f"{scratch.PREFIX}just_made", scratch.make()
    for folder in (left, just_made):
        folder.mkdir()
    for folder in (left, held):
        os.utime(folder, (0, 0))
    scratch.make()
    assert [left.exists(), just_made.exists(), held.exists()] == [False, True, True]
