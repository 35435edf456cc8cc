"""The process that children are forked from: what it survives, and what the worker learns when it does not."""

import asyncio
import os
import select
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fixtures.processes import ROOT, eventually
from tests.workers.fixtures import ODD, Start
from tests.workers.rig import TASKS, Rabbit, Web, children_of, is_alive, ready, task, template_of
from workers.children import ChildDied, Template


def command_of(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/cmdline").read_text().split("\0")


def test_a_process_that_a_module_started_may_end_while_tasks_run(rabbit: Rabbit, worker: Start) -> None:
    process = ready(worker(MILLRACE_HANDLERS="workers.handlers.demo,tests.workers.handlers_with_process"))
    rabbit.put(task(1, "demo.coin", failure_rate=0, seconds=2))
    eventually(lambda: rabbit.started(1))
    [started] = [pid for pid in children_of(process.child.pid) if command_of(pid)[0] == "cat"]
    os.kill(started, signal.SIGKILL)
    eventually(lambda: not is_alive(started))
    assert rabbit.outcome(1)["status"] == "FINISHED"


def test_a_slot_says_that_the_system_starts_no_process_and_tries_again(rabbit: Rabbit, worker: Start) -> None:
    process = worker(MILLRACE_HANDLERS="workers.handlers.demo,tests.workers.handlers_without_room")
    eventually(lambda: "no process to run tasks in: its process was not started: " in process.output)
    rabbit.put(task(1))
    assert rabbit.outcome(1)["status"] == "FINISHED"
    assert "has ended" not in process.output


def test_a_template_that_has_just_died_is_no_more_than_a_child_not_started() -> None:
    async def main() -> None:
        template = await Template.start(["workers.handlers.demo"])
        template._process.kill()
        template._process.wait()  # the event loop has had no turn in which to notice it
        with pytest.raises(ChildDied, match="the process it is forked from has ended"):
            await template.fork(lambda _: None)
        await template.stop()

    asyncio.run(main())


def test_a_template_whose_worker_is_killed_before_it_has_read_all_leaves_quietly() -> None:
    ours, theirs = socket.socketpair()
    command = [
        sys.executable,
        "-m",
        "workers.template",
        str(theirs.fileno()),
        str(os.getpid()),
        "workers.handlers.demo",
    ]
    process = subprocess.Popen(command, cwd=ROOT, pass_fds=[theirs.fileno()], stderr=subprocess.PIPE, text=True)
    theirs.close()
    assert select.select([ours], [], [], 30)[0]
    ours.close()
    assert process.communicate(timeout=120)[1] == ""
    assert process.returncode == 0


def test_a_distribution_without_metadata_is_left_out(rabbit: Rabbit, worker: Start, tmp_path: Path) -> None:
    (tmp_path / "left_over-1.0.dist-info").mkdir()
    ready(worker(PYTHONPATH=f"{ROOT}:{tmp_path}"))
    eventually(rabbit.heartbeats)
    packages = rabbit.heartbeats()[0]["environment"]["packages"]
    assert "pika" in packages
    assert "left_over" not in packages


def test_a_worker_whose_handlers_can_be_imported_no_more_leaves(
    rabbit: Rabbit, worker: Start, web: Web, tmp_path: Path
) -> None:
    module = tmp_path / "passing_by.py"
    module.write_text("")
    process = ready(worker(MILLRACE_HANDLERS=f"{ODD},passing_by", PYTHONPATH=f"{ROOT}:{tmp_path}"))
    web.failures = [(503, b"busy")] * 1000
    rabbit.put(task(1), headers={"x-again": 1})
    eventually(lambda: web.attempts)
    module.write_text("import no_such_module")
    os.kill(template_of(process), signal.SIGKILL)
    assert process.child.wait(120) == 1
    last = process.output.splitlines()[-1]
    assert last.startswith(
        "error: no task can be run any more: MILLRACE_HANDLERS: module 'passing_by' cannot be imported"
    )
    assert rabbit.count(TASKS) == 1
    assert rabbit.heartbeats()[-1]["leaving"]
