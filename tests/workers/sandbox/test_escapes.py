"""No piece of hostile code gets anywhere, each ends in a way that can be told, and the next task does not notice."""

import re
from pathlib import Path

import pytest

from tests.workers.rig import children_of, is_alive
from tests.workers.sandbox.conftest import WAYS
from tests.workers.sandbox.harness import Child, Ended, Sandbox
from tests.workers.sandbox.hostile import ALL, NOTHING, TELLING, Hostile

Places = dict[str, str]


@pytest.mark.parametrize("hostile", ALL, ids=str)
def test_it_gets_nowhere(hostile: Hostile, sandbox: Sandbox, places: Places) -> None:
    _try(hostile, sandbox, places)


@pytest.mark.parametrize("sandbox", WAYS[1:], indirect=True)
@pytest.mark.parametrize("hostile", [each for each in ALL if str(each) in TELLING], ids=str)
def test_it_gets_nowhere_without_namespaces(hostile: Hostile, sandbox: Sandbox, places: Places) -> None:
    _try(hostile, sandbox, places)


@pytest.mark.parametrize("sandbox", WAYS, indirect=True)
def test_the_next_task_does_not_notice(sandbox: Sandbox) -> None:
    child, _ = sandbox.next_child()
    child.post("6 * 7")
    assert child.wait().result == 42


def _try(hostile: Hostile, sandbox: Sandbox, places: Places) -> None:
    child, sibling = sandbox.next_child()
    child.post(_filled_in(hostile.code, sandbox, places, child, sibling), limit=hostile.limit)
    ended = child.wait(hostile.limit)
    _check(hostile, ended)
    assert not is_alive(ended.pid)
    assert Path(places["open"]).read_text() == "open"
    left = {pid for pid in children_of(sandbox.process.pid) if is_alive(pid)}
    assert left == {*sandbox.template_pids, sibling.pid}  # which is the process of the next one


def _check(hostile: Hostile, ended: Ended) -> None:
    assert ended.intruded == hostile.intruded, ended
    if hostile.intruded:
        return
    if hostile.how and not (ended.outcome and (hostile.error or hostile.value is not NOTHING)):
        assert ended.outcome is None, ended
        assert re.search(hostile.how, ended.how), ended.how
    elif hostile.value is not NOTHING:
        assert ended.result == hostile.value
    else:
        assert re.match(hostile.error, ended.error, re.DOTALL), ended.error[:500]
        assert ended.outcome
        assert ended.outcome.error
        assert all(word in ended.outcome.error.traceback for word in hostile.words)
        assert "/workers/sandbox/" not in ended.outcome.error.traceback


def _filled_in(code: str, sandbox: Sandbox, places: Places, child: Child, sibling: Child) -> str:
    for name, value in {**places, "template": str(sandbox.template_pid), "sibling": str(sibling.pid)}.items():
        code = code.replace(f"{{{name}}}", value)
    return code.replace("TASK", str(child.task))
