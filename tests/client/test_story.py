"""The client on the whole stack: what a data scientist does with it, from the first task to the last artifact."""

import json
import os
import pty
import signal
import subprocess
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import millrace
from millrace import Client, Options
from tests.client.conftest import Program
from tests.fixtures.processes import eventually
from tests.fixtures.stack import Stack

PRINTS = """import sys, time
from workers.task import artifact
for n in range(3):
    print("line", n, flush=True)
    time.sleep(0.3)
print("oops", file=sys.stderr)
artifact(b"a,b", "fit.csv")
[n, {"deep": "\\u00e4"}]"""


def test_a_task_is_created_watched_read_and_thrown_away(client: Client, tmp_path: Path) -> None:
    task = client.create("code.python", Options(name="prints", priority=3, timeout_seconds=50), code=PRINTS)
    assert (task.name, task.kind, task.queue, task.priority) == ("prints", "code.python", "default", 3)
    assert not task.has_ended
    with pytest.raises(millrace.NotEnded, match=f"task {task.number} has not ended yet"):
        _ = task.result
    pieces = list(task.follow())
    assert "".join(piece.text for piece in pieces if piece.stream == "stdout") == "line 0\nline 1\nline 2\n"
    assert "".join(piece.text for piece in pieces if piece.stream == "stderr") == "oops\n"
    assert task.wait(120).result == [2, {"deep": "\u00e4"}]
    assert task.output() == "line 0\nline 1\nline 2\noops\n"
    assert task.params == {"code": PRINTS}
    assert task.created_by == "admin"
    assert task.started_at
    assert task.created_at <= task.started_at <= (task.finished_at or task.created_at)
    eventually(lambda: task.artifacts)
    (artifact,) = task.artifacts
    assert artifact.save(tmp_path) == tmp_path / "fit.csv"
    assert (tmp_path / "fit.csv").read_bytes() == artifact.read() == b"a,b"
    assert [file.name for file in tmp_path.iterdir() if file.is_file()] == ["fit.csv"]

    task.delete()

    with pytest.raises(millrace.NotFound, match=f"there is no task {task.number}"):
        task.refresh()
    with pytest.raises(millrace.NotFound):
        task.cancel()


def test_a_task_that_fails_says_why_and_is_tried_again(client: Client) -> None:
    task = client.create("demo.coin", failure_rate=1, seconds=0).wait(120)
    assert (task.status, task.reason) == ("FAILED", "ERROR")
    assert task.error
    assert task.error.traceback
    assert task.error.fingerprint
    assert str(task.error).startswith("SimulatedFailure: the coin fell")
    with pytest.raises(millrace.TaskFailed, match=rf"^task {task.number} failed: SimulatedFailure: "):
        _ = task.result
    with pytest.raises(millrace.Refused, match="has already ended") as refused:
        task.cancel()
    assert refused.value.problems[0].code == "NOT_ALLOWED_IN_STATUS"
    assert task.retry().wait(120).status == "FAILED"
    other = task.again(failure_rate=0)
    assert (other.cloned_from, task.cloned_from) == (task.number, None)
    assert other.params == {**task.params, "failure_rate": 0}
    assert other.wait(120).status == "FINISHED"


def test_what_waits_is_cancelled_and_a_wait_may_end_before_its_task(client: Client) -> None:
    later = client.create("demo.noop", Options(run_after=datetime.now(UTC) + timedelta(hours=1)), x=1)
    now = client.create("demo.noop", x=None).wait(120)
    assert now.result is None
    assert "cheduled" in later.status_text
    assert later.waiting
    assert (later.waiting.position, later.waiting.queue_paused, later.waiting.workers_serving > 0) == (
        None,
        False,
        True,
    )
    assert now.waiting is None
    with pytest.raises(millrace.TimedOut, match=f"task {later.number} did not end in time") as late:
        millrace.wait([now, later], timeout=0)
    assert late.value.open == (later,)
    assert later.cancel().status == "CANCELLED"
    assert millrace.wait([later]) == [later]
    with pytest.raises(millrace.TaskFailed, match="was cancelled"):
        _ = later.result
    assert client.several([later.number, now.number])[1].status == "FINISHED"
    later.delete()
    with pytest.raises(millrace.NotFound, match=f"there is no task {later.number}$"):
        client.several([now.number, later.number])
    with pytest.raises(millrace.NotFound, match=f"there is no task {later.number} any more"):
        millrace.wait([client.create("demo.noop", x=1), _as_it_was(client, later)], 30)


def test_many_are_created_in_batches_waited_for_and_found_again(client: Client) -> None:
    cursor = client.changes(from_now=True).cursor
    name = f"many {os.urandom(4).hex()}"
    how = Options(name=name, idempotency_key=name, max_attempts=2)
    params = [{"x": n} for n in range(1_050)]
    made = client.create_many("demo.noop", params, how)
    again = client.create_many("demo.noop", params, how)
    assert [task.number for task in again] == [task.number for task in made]
    assert millrace.wait(iter(made), 60) == made
    assert [task.result for task in made] == list(range(1_050))
    found = list(client.tasks(f'name:"{name}" status:FINISHED', order="created_at"))
    assert [task.number for task in found] == [task.number for task in made]
    assert found[7].result == 7
    assert client.counts(f'name:"{name}"').finished == 1_050

    changed: dict[int, str] = {}
    while (page := client.changes(cursor, first=500)).tasks or page.more:
        cursor = page.cursor
        changed |= {task.number: task.status for task in page.tasks}
    assert {changed[task.number] for task in made} == {"FINISHED"}

    large = [{"x": "y" * 60_000}] * 20  # more than one request may bring
    assert len(client.create_many("demo.noop", large)) == 20


def test_what_is_wrong_is_told_with_its_place_and_saves_nothing_of_its_batch(client: Client) -> None:
    with pytest.raises(millrace.Refused, match=r"^params\.y: There is no parameter 'y' here") as refused:
        client.create("demo.noop", y=1)
    assert refused.value.problems[0].field == ("params", "y")
    with pytest.raises(millrace.Refused, match=r"options\.queue: There is no queue 'nowhere'"):
        client.create("demo.noop", Options(queue="nowhere"), x=1)
    params = [*({"x": n} for n in range(1_000)), {"y": 1}]
    with pytest.raises(millrace.Refused, match=r"^1000\.params\.y: ") as refused:
        client.create_many("demo.noop", params)
    assert len(refused.value.created) == 1_000
    with pytest.raises(millrace.Refused, match="There is no field “stats”"):
        next(client.tasks("stats:FAILED"))
    with pytest.raises(millrace.Refused, match="there is no order 'colour'; there are created, "):
        next(client.tasks(order="colour"))


def test_workers_queues_and_kinds_are_told(client: Client) -> None:
    workers = [worker for worker in client.workers() if worker.alive]
    assert {worker.concurrency for worker in workers} == {1}
    assert all(worker.queues == ("default",) for worker in workers)
    assert [(queue.name, queue.paused, queue.workers > 0) for queue in client.queues()] == [("default", False, True)]
    overview = client.overview()
    assert [queue.name for queue in overview.queues] == ["default"]
    assert len(overview.failed) <= 5
    noop = next(kind for kind in client.kinds() if kind.name == "demo.noop")
    assert (noop.served, noop.may_create, noop.queue) == (True, True, "default")
    assert "x" in noop.schema["properties"]


def test_a_token_lets_in_for_what_it_is_good_for(stack: Stack, client: Client) -> None:
    reader = Client(stack.url, stack.manage("token", "create", "--user", "admin", "--scope", "tasks:read"))
    task = client.create("demo.noop", x=1).wait(120)
    assert reader.task(task.number).result == 1
    with pytest.raises(millrace.NotAllowed, match="tasks:write"):
        reader.create("demo.noop", x=1)
    with pytest.raises(millrace.NotAllowed, match="the token is not valid at http"):
        Client(stack.url, "no-such-token").queues()


def test_threads_share_a_client(client: Client) -> None:
    results: list[object] = []
    threads = [
        threading.Thread(target=lambda n=n: results.append(client.create("demo.noop", x=n).wait(120).result))
        for n in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(map(str, results)) == ["0", "1", "2", "3"]


def test_a_client_outlives_the_web_being_killed(stack: Stack, client: Client) -> None:
    client.queues()
    stack.kill("web")
    task = client.create("demo.noop", x=2).wait(120)
    assert client.task(task.number).result == 2


def test_the_program_says_what_is_wrong_in_one_line(program: Program, client: Client) -> None:
    failed = client.create("demo.coin", failure_rate=1, seconds=0).wait(120)
    for arguments, code, said in (
        (["wait", str(failed.number)], 1, f"task {failed.number} failed: SimulatedFailure: the coin fell"),
        (["cancel", "999999999"], 1, "there is no task 999999999"),
        (["create", "demo.noop", "x"], 2, "a parameter looks like key=value (this is 'x')"),
        (["create", "demo.noop", "--json", "x.json"], 2, "--json takes @FILE, or - for stdin"),
        (["create", "demo.noop", "--json", "@x.json"], 2, "cannot read x.json: no such file"),
        (["create", "demo.nope"], 1, "kind: There is no kind 'demo.nope'"),
        (["list", "stats:x"], 1, "query: There is no field “stats”"),
        (["wait", "x"], 2, "argument number: must be a whole number from 1 to 9223372036854775807 (got 'x')"),
        ([], 2, "required: COMMAND"),
    ):
        done = program(*arguments)
        assert (done.returncode, done.stdout) == (code, ""), done
        assert done.stderr.startswith("error: ")
        assert said in done.stderr
        assert done.stderr.count("\n") == 1
    assert program("show", str(failed.number), LC_ALL="C", PYTHONIOENCODING="ascii").returncode == 0
    done = program("queues", MILLRACE_API_TOKEN="")
    assert (done.returncode, "error: no token: set MILLRACE_API_TOKEN" in done.stderr) == (2, True)
    done = program("create", "demo.noop", "--json", "-", stdin='{"x": 1} [2]')
    assert (done.returncode, done.stderr) == (2, "error: the parameters of task 2 are no JSON object\n")
    assert program("--version").stdout == f"millrace {millrace.__version__}\n"


def test_every_command_answers_programs_in_json(program: Program) -> None:
    made = _told(program("create", "demo.coin", "--json", "-", "--json", "seconds=0", stdin='{"failure_rate": 1}'))
    made += _told(program("create", "code.python", f"code={PRINTS}", "--json"))
    failed, prints = (str(each["number"]) for each in made)
    waited = _told(program("wait", "--json", failed, prints), 1)
    assert waited == [*_told(program("show", "--json", failed)), *_told(program("show", "--json", prints))]
    assert [each["status"] for each in waited] == ["FAILED", "FINISHED"]
    pieces = _told(program("logs", "--json", prints))
    assert "".join(each["text"] for each in pieces if each["stream"] == "stdout") == "line 0\nline 1\nline 2\n"
    assert {each["stream"] for each in pieces} == {"stdout", "stderr"}
    again, refused = _told(program("retry", "--set", "failure_rate=0", "--json", failed, "999999999"), 1)
    assert (again["number"], again["done"], again["task"]["number"] > int(failed)) == (int(failed), True, True)
    assert refused == {"number": 999999999, "done": False, "error": "there is no task 999999999", "task": None}
    (refused,) = _told(program("cancel", "--json", failed), 1)
    assert (refused["done"], "has already ended" in refused["error"]) == (False, True)
    (top,) = _told(program("top", "--json"))
    assert [queue["name"] for queue in top["queues"]] == ["default"]
    assert int(failed) in {task["number"] for task in top["failed"]}


def test_tables_fit_the_terminal_and_pipes_may_close(
    program: Program, client: Client, environment: dict[str, str]
) -> None:
    name = "漢字 " * 20
    number = client.create("demo.noop", Options(name=name), x=1.5).wait(120).number
    for width in (40, 80):
        for command in (["list"], ["workers"], ["queues"], ["top"]):
            shown = program(*command, COLUMNS=str(width)).stdout.splitlines()
            assert max(map(_columns, shown)) <= width, command
    assert "…" in program("list", COLUMNS="40").stdout
    in_c = program("list", f"number:{number}", COLUMNS="40", LANG="C")
    assert (in_c.returncode, "…" in in_c.stdout, "~" in in_c.stdout) == (0, False, True)
    assert name.strip() in program("list", f"number:{number}").stdout, "nobody looks: nothing is cut"
    shown = json.loads(program("list", f"number:{number}", "--json").stdout)
    assert (shown["number"], shown["status"]) == (number, "FINISHED")
    assert json.loads(program("show", str(number), "--json").stdout)["result"] == 1.5
    piped = ["/bin/sh", "-c", "millrace list --limit 1000 | head -1; millrace list --json --limit 500 | true"]
    done = subprocess.run(piped, env=environment, capture_output=True, text=True, check=False)
    assert (done.stdout.split()[0], done.stderr) == ("ID", "")


@pytest.mark.parametrize("colours", [True, False])
def test_top_is_drawn_in_its_place_until_ctrl_c(environment: dict[str, str], client: Client, *, colours: bool) -> None:
    screen, terminal = pty.openpty()
    more = {"TERM": "xterm", "COLUMNS": "60", "LINES": "15", **({} if colours else {"NO_COLOR": "1"})}
    with subprocess.Popen(
        ["millrace", "top", "--every", "0.2"], env={**environment, **more}, stdout=terminal, stderr=terminal
    ) as top:
        os.close(terminal)  # or its end would not be told here
        said = b""
        while said.count(b"\x1b[H") < 3 and (more_said := _read(screen)):
            said += more_said
        top.send_signal(signal.SIGINT)
        while more_said := _read(screen):
            said += more_said
    os.close(screen)
    text = said.decode()
    assert top.returncode == 0, text
    assert text.count("\x1b[H") >= 3
    assert "\x1b[?1049l" in text
    assert "Traceback" not in text
    assert "default" in text
    assert ("\x1b[32m" in text) is colours


def test_ctrl_c_ends_a_wait_without_a_traceback(environment: dict[str, str], program: Program, client: Client) -> None:
    tasks = [client.create("demo.coin", failure_rate=0, seconds=60) for _ in range(4)]  # three at once

    def running() -> list[millrace.Task]:
        return [task for task in tasks if task.refresh().status == "RUNNING"]

    eventually(lambda: len(running()) == 3)
    task, *_ = running()
    (waits,) = (task for task in tasks if task.status == "QUEUEING")
    # Where it stands may have been told a second ago, before the third had begun.
    eventually(lambda: "position     1 in its queue" in program("show", str(waits.number)).stdout)
    with subprocess.Popen(
        ["millrace", "logs", "--follow", str(task.number)],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as logs:
        eventually(lambda: _is_python(logs.pid))
        logs.send_signal(signal.SIGINT)
        _, complaint = logs.communicate(timeout=120)
    for each in tasks:
        each.cancel()
    assert (logs.returncode, complaint) == (130, b"")


def _told(done: subprocess.CompletedProcess[str], code: int = 0) -> list[Any]:
    assert done.returncode == code, done
    return [json.loads(line) for line in done.stdout.splitlines()]


def _as_it_was(client: Client, task: millrace.Task) -> millrace.Task:
    return millrace.Task(client._transport, {**task._data, "status": "RUNNING"})


def _columns(line: str) -> int:
    return sum(2 if "\u2e80" <= letter <= "\uffee" else 1 for letter in line)


def _is_python(pid: int) -> bool:
    """It has an HTTP connection: its imports are over."""
    return any("socket:" in str(each.readlink()) for each in Path(f"/proc/{pid}/fd").iterdir() if each.is_symlink())


def _read(screen: int) -> bytes:
    """What a terminal shows next; nothing once its program has ended."""
    try:
        return os.read(screen, 4_096)
    except OSError:
        return b""
