"""No piece of hostile code gets anywhere, each ends in a way that can be told, and the next task does not notice."""

import re
from pathlib import Path

import pytest

from tests.workers.rig import children_of, is_alive
from tests.workers.sandbox.harness import Ended, Sandbox
from tests.workers.sandbox.hostile import ALL, NOTHING, Hostile

Places = dict[str, str]


@pytest.mark.parametrize("hostile", ALL, ids=str)
def test_it_gets_nowhere(hostile: Hostile, sandbox: Sandbox, places: Places) -> None:
    if hostile.only_full and not sandbox.plan.namespaces:
        _ends_somehow(hostile, sandbox)
        return
    with sandbox.child() as sibling:
        ended = sandbox.run(_filled_in(hostile.code, sandbox, places, sibling.pid), limit=hostile.limit)
        _check(hostile, ended)
        assert not is_alive(ended.pid)
        sibling.post("6 * 7")  # the next task, in a process that was there meanwhile
        assert sibling.wait().result == 42
    assert Path(places["open"]).read_text() == "open"
    assert [pid for pid in children_of(sandbox.process.pid) if is_alive(pid)] == sandbox.template_pids


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


def _ends_somehow(hostile: Hostile, sandbox: Sandbox) -> None:
    """Where this is not held off nothing is tried that would fill the disk."""
    assert not sandbox.plan.namespaces, hostile.only_full
    assert sandbox.run("6 * 7").result == 42


def _filled_in(code: str, sandbox: Sandbox, places: Places, sibling: int) -> str:
    for name, value in {**places, "template": str(sandbox.template_pid), "sibling": str(sibling)}.items():
        code = code.replace(f"{{{name}}}", value)
    return code.replace("TASK", str(sandbox.tasks + 1))
