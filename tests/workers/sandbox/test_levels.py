"""What is found out about a machine, and what people are told; machines that can less are made with a filter."""

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.fixtures.processes import ROOT, eventually
from tests.workers.fixtures import Start
from tests.workers.rig import Rabbit, ready
from tests.workers.sandbox.harness import Sandbox, python_is_readable_for_nobody
from workers.messages import storable
from workers.sandbox.limits import Limits
from workers.sandbox.probe import INSTALL, Findings, Level, find_bubblewrap, probe

LACKING = """\
import errno, os, platform, struct, sys
from workers.sandbox import seccomp, syscalls
denied = {each: error for each, error in (pair.split("=") for pair in sys.argv[1].split(","))}
numbers = {"landlock": 444, "unshare": {"x86_64": 272, "aarch64": 97}[platform.machine()], **syscalls.numbers()}
NAMESPACES = 0x7E020000
def program(**_):
    yield 0x20, 0, 0, 0
    for name, error in denied.items():
        refused = 0x06, 0, 0, 0x50000 | getattr(errno, error)
        if name in ("clone", "unshare"):
            load = [(0x20, 0, 0, 16), (0x45, 0, 1, NAMESPACES), refused, (0x20, 0, 0, 0)]
            yield 0x15, 0, len(load), numbers[name]
            yield from load
        elif name == "prctl":
            load = [(0x20, 0, 0, 16), (0x15, 0, 1, 22), refused, (0x20, 0, 0, 0)]
            yield 0x15, 0, len(load), numbers[name]
            yield from load
        else:
            yield from seccomp._answer(numbers[name], getattr(errno, error))
    yield 0x06, 0, 0, 0x7FFF0000
seccomp._program = program
seccomp.restrict(processes=True, shares_files=False)
os.execv(sys.argv[2], sys.argv[2:])
"""
NO_NAMESPACES = "clone=EPERM,unshare=EPERM,clone3=ENOSYS"
NO_LANDLOCK = "landlock=ENOSYS"


def lacking(denied: str, *command: str) -> list[str]:
    """The command on a machine that refuses these system calls."""
    return [sys.executable, "-c", LACKING, denied, *command]


def probed(denied: str, bubblewrap: str | None) -> tuple[str, str, str]:
    """Level, what is missing, and the fix, as found on such a machine."""
    code = (
        "import json, sys; from workers.sandbox import limits, probe\n"
        "found = probe.probe(limits.Limits(), sys.argv[1] or None)\n"
        "print(json.dumps([found.level, ' '.join(found.missing), found.fix]))"
    )
    given = lacking(denied, sys.executable, "-c", code, bubblewrap or "")
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(given, env=environment, cwd=ROOT, capture_output=True, text=True, timeout=150, check=True)
    level, missing, fix = json.loads(done.stdout)
    return level, missing, fix


def test_a_machine_with_all_of_it_lacks_nothing(found: Findings) -> None:
    assert found.level is Level.FULL
    assert (found.missing, found.fix) == ((), "")
    assert found.announced() == {"sandbox": "full"}


def test_without_bubblewrap_it_is_reduced_or_none() -> None:
    found = probe(Limits(), None)
    assert found.missing[0].startswith("bubblewrap is not installed")
    assert found.fix == INSTALL
    if not python_is_readable_for_nobody():
        assert found.level is Level.NONE
        assert found.missing[1].startswith("Python cannot be run by an unprivileged user: ")
        return
    assert found.level is Level.REDUCED
    assert found.plan
    sandbox = Sandbox(found.plan, None)
    assert sandbox.run("6 * 7").result == 42
    assert sandbox.run(f"open({str(ROOT / 'manage.py')!r})").error.startswith("PermissionError: ")
    assert sandbox.run(f"open('/proc/{os.getpid()}/environ')").error.startswith("PermissionError: ")
    for change in (
        "os.chmod({0}, 0o777)",
        "os.utime({0})",
        "os.chmod(os.open({0}, os.O_PATH), 0)",
        "os.truncate({0}, 0)",
    ):
        code = "import os; " + change.format(repr(str(ROOT / "manage.py")))
        assert sandbox.run(code).error.startswith(("PermissionError: ", "OSError: [Errno 9]")), change
    assert sandbox.run("import os; os.chmod(os.__file__, 0o777)").error.startswith("PermissionError: ")
    assert sandbox.run("import os; open('/etc/passwd')").error.startswith("PermissionError: ")
    assert sandbox.run(f"import os; os.kill({os.getpid()}, 0)").error.startswith("PermissionError: ")
    assert sandbox.run("import os; os.listdir('.'), open('a', 'w').write('x')").result == [[], 1]
    folder = Path(sandbox.hello["folder"])
    assert list(folder.iterdir()) == []
    sandbox.close()
    assert not folder.exists()


def test_without_namespaces_it_says_what_would_allow_them() -> None:
    level, missing, fix = probed(NO_NAMESPACES, find_bubblewrap())
    assert level == ("reduced" if python_is_readable_for_nobody() else "none")
    assert "bubblewrap cannot make a view of its own: " in missing
    assert "ermi" in missing  # bubblewrap's own word for EPERM
    assert fix.startswith("Allow ")


def test_without_landlock_namespaces_do() -> None:
    level, missing, _ = probed(NO_LANDLOCK, find_bubblewrap())
    assert level == "full"
    assert missing == "This kernel has no Landlock (Linux 5.13 and later have, unless it is switched off)."


def test_without_both_code_is_refused() -> None:
    level, missing, fix = probed(f"{NO_NAMESPACES},{NO_LANDLOCK}", find_bubblewrap())
    assert level == "none"
    assert "bubblewrap cannot make a view of its own: " in missing
    assert not python_is_readable_for_nobody() or "This kernel has no Landlock" in missing
    assert fix.startswith("Allow ")


def test_without_a_filter_of_system_calls_code_is_refused() -> None:
    level, missing, _ = probed("prctl=EINVAL", find_bubblewrap())
    assert level == "none"
    assert "seccomp: invalid argument" in missing


def test_a_bubblewrap_that_is_not_there_is_named() -> None:
    found = probe(Limits(), "/no/bwrap")
    assert found.level is not Level.FULL
    assert found.missing[0] == ("bubblewrap cannot make a view of its own: no such file or directory (/no/bwrap).")


def test_a_path_that_is_no_text_keeps_no_heartbeat_back() -> None:
    missing = probe(Limits(), os.fsdecode(b"/no/\xff")).announced()["sandbox_missing"]
    assert "(/no/?)" in missing[0]
    assert storable(missing[0])


def test_a_worker_says_what_it_has_and_serves_code_only_in_a_sandbox(rabbit: Rabbit, worker: Start) -> None:
    process = ready(worker(MILLRACE_HANDLERS="workers.handlers.demo,workers.sandbox", MILLRACE_BUBBLEWRAP="/no/bwrap"))
    eventually(rabbit.heartbeats)
    first = rabbit.heartbeats()[0]
    why = "bubblewrap cannot make a view of its own: no such file or directory (/no/bwrap)."
    level = "reduced" if python_is_readable_for_nobody() else "none"
    said = {"reduced": "user code: reduced sandbox", "none": "user code: no sandbox, so code.python is not served."}
    assert f"warning: {said[level]} {why} Put MILLRACE_BUBBLEWRAP right" in process.output
    assert first["environment"]["sandbox"] == level
    assert first["environment"]["sandbox_missing"][0] == why
    assert first["environment"]["sandbox_fix"].endswith(INSTALL)
    assert ("code.python" in {kind["name"] for kind in first["kinds"]}) == (level != "none")
