"""Who ends with whom, and what a template does when it cannot do what it is asked for."""

import os
import signal
from dataclasses import replace

import pytest

from tests.fixtures.processes import eventually
from tests.workers.rig import children_of, is_alive
from tests.workers.sandbox.harness import Child, Sandbox
from workers.sandbox.probe import Findings

SPIN = "import signal\nsignal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))\nprint('spins')\nwhile True: pass"


@pytest.fixture(params=["full", "reduced"])
def own_sandbox(found: Findings, request: pytest.FixtureRequest) -> Sandbox:
    assert found.plan
    return Sandbox(replace(found.plan, namespaces=request.param == "full"), found.bubblewrap)


def _spinning(sandbox: Sandbox) -> Child:
    """It keeps its socket open as a worker does."""
    child = sandbox.start_child()
    child.post(SPIN)
    eventually(lambda: os.read(child._outputs[0], 100))
    return child


def test_tasks_end_with_their_template(own_sandbox: Sandbox) -> None:
    children = [_spinning(own_sandbox) for _ in range(2)]
    os.kill(own_sandbox.template_pid, signal.SIGKILL)
    eventually(lambda: not any(is_alive(child.pid) for child in children))
    own_sandbox.close()


def test_all_end_with_bubblewrap(own_sandbox: Sandbox) -> None:
    child = _spinning(own_sandbox)
    pids = [child.pid, own_sandbox.template_pid]
    own_sandbox.process.kill()
    eventually(lambda: not any(map(is_alive, pids)))
    own_sandbox.close()


def test_all_end_when_the_worker_closes_its_socket(own_sandbox: Sandbox) -> None:
    child = _spinning(own_sandbox)
    pids = [child.pid, own_sandbox.template_pid]
    own_sandbox.close()
    eventually(lambda: not any(map(is_alive, pids)))


def test_a_task_that_nobody_wants_any_more_ends_by_itself(own_sandbox: Sandbox) -> None:
    child = own_sandbox.start_child()
    child._socket.close()
    assert own_sandbox.ended(child.pid) == 0
    own_sandbox.close()


def test_sigterm_between_two_tasks_ends_nobody(own_sandbox: Sandbox) -> None:
    with own_sandbox.child() as child:
        os.kill(child.pid, signal.SIGTERM)
        os.kill(own_sandbox.template_pid, signal.SIGTERM)
        child.post("6 * 7", limit=20)
        assert child.wait(120).result == 42
    own_sandbox.close()


def test_a_plan_that_cannot_be_carried_out_runs_nothing(found: Findings) -> None:
    assert found.plan
    limits = replace(found.plan.limits, tmp=-1)
    sandbox = Sandbox(replace(found.plan, limits=limits), found.bubblewrap)
    with pytest.raises(AssertionError, match=r"'failed': 'mount of /tmp: invalid argument'"), sandbox.child():
        pass
    sandbox.close()


def test_processes_may_be_allowed_and_still_end_with_their_task(found: Findings) -> None:
    assert found.plan
    limits = replace(found.plan.limits, processes=4)
    sandbox = Sandbox(replace(found.plan, limits=limits), found.bubblewrap)
    runs = "import subprocess\nsubprocess.run(['id', '-u'], capture_output=True, text=True).stdout"
    assert sandbox.run(runs).result == "1000\n"
    leaves = "import subprocess\nsubprocess.Popen(['setsid', 'sleep', '1000']).poll()"
    assert sandbox.run(leaves).result is None
    bomb = "import os, time\nwhile True:\n    if os.fork() == 0:\n        time.sleep(1000)"
    assert sandbox.run(bomb, limit=20).error.startswith("BlockingIOError: ")
    eventually(lambda: children_of(sandbox.template_pid) == [])
    sandbox.close()
