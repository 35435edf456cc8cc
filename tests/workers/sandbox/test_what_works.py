"""What honest code may do, and how it is told what went wrong."""

import pytest

from tests.workers.sandbox.harness import Sandbox
from workers.messages import TaskMessage
from workers.sandbox import ending
from workers.timelimit import Limit

WORKS = {
    "an expression": ("6 * 7", 42),
    "nothing": ("", None),
    "a statement last": ("x = 1", None),
    "a name of its own lines": ("def f(x):\n    return x + 1\nf(1)", 2),
    "a float": ("0.1 + 0.2", "0.30000000000000004"),
    "not a number": ("float('nan')", "nan"),
    "JSON": ("{'a': [1, None, True, 'ü']}", {"a": [1, None, True, "ü"]}),
    "a main of its own": ("x = 1\nimport __main__\n__name__, __main__.x", ["__main__", 1]),
    "numpy": ("import numpy as np\nnp.linalg.inv(np.eye(3) * 2).sum()", "1.5"),
    "numpy that multiplies": ("import numpy as np\na = np.random.rand(400, 400)\n(a @ a).shape", [400, 400]),
    "the standard library": (
        (
            "import csv, datetime, decimal, hashlib, itertools, json, math, sqlite3, statistics, uuid, zlib\n"
            "sqlite3.connect(':memory:').execute('select 2').fetchone()[0] + statistics.mean([1, 3])"
        ),
        4,
    ),
    "a dataclass": ("from dataclasses import dataclass\n@dataclass\nclass A:\n    x: int\nA(3)", {"x": 3}),
    "pickling its own class": ("import pickle\nclass A: pass\ntype(pickle.loads(pickle.dumps(A()))).__name__", "A"),
    "threads": (
        (
            "from concurrent.futures import ThreadPoolExecutor\n"
            "with ThreadPoolExecutor(16) as pool: found = list(pool.map(abs, range(-3, 0)))\nfound"
        ),
        [3, 2, 1],
    ),
    "a lock of multiprocessing": ("import multiprocessing\nwith multiprocessing.Lock(): x = 5\nx", 5),
    "asyncio": ("import asyncio\nasync def f():\n    await asyncio.sleep(0.01)\n    return 5\nasyncio.run(f())", 5),
    "files of its own": (
        (
            "import os, pathlib, tempfile\nwith tempfile.NamedTemporaryFile('w+') as file: file.write('a')\n"
            "pathlib.Path('sub/folder').mkdir(parents=True)\npathlib.Path('sub/folder/f').write_text('x' * 1000)\n"
            "os.rename('sub/folder/f', 'f')\nos.path.getsize('f')"
        ),
        1000,
    ),
    "a clock": ("import time\ntime.sleep(0.01)\ntime.time() > 1.7e9 and time.process_time() > 0", True),
    "finding out about itself": (
        "import os, platform, sys\nplatform.machine() != '', os.getcwd() == os.environ['HOME'], len(sys.argv)",
        [True, True, 1],
    ),
    "signals to itself": (
        (
            "import signal\ngot = []\nsignal.signal(signal.SIGUSR1, lambda *_: got.append(1))\n"
            "signal.raise_signal(signal.SIGUSR1)\ngot"
        ),
        [1],
    ),
}


@pytest.mark.parametrize("name", WORKS)
def test_honest_code_works(name: str, sandbox: Sandbox) -> None:
    code, value = WORKS[name]
    assert sandbox.run(code).result == value


def test_chance_differs_from_task_to_task(sandbox: Sandbox) -> None:
    drawn = [sandbox.run("import random, numpy\n[random.random(), numpy.random.rand()]").result for _ in range(2)]
    assert not set(drawn[0]) & set(drawn[1])


def test_what_it_prints_comes_by_its_pipes(sandbox: Sandbox) -> None:
    ended = sandbox.run(
        "import os, sys\nprint('é')\nprint('trouble', file=sys.stderr)\nos.write(1, b'raw')\nprint('end', end='')"
    )
    assert ended.stdout == "é\nrawend".encode()
    assert ended.stderr == b"trouble\n"


def test_what_it_prints_is_there_before_it_ends(sandbox: Sandbox) -> None:
    ended = sandbox.run("import os\nprint('before')\nos._exit(1)")
    assert ended.stdout == b"before\n"


def test_a_traceback_has_its_own_lines_alone(sandbox: Sandbox) -> None:
    code = "import json\n\ndef parse(text):\n    return json.loads(text)\n\nparse('{')\n"
    error = sandbox.run(code).outcome
    assert error
    assert error.error
    assert error.reason == "ERROR"
    assert error.error.type == "JSONDecodeError"
    lines = [line for line in error.error.traceback.splitlines() if line.startswith("  File")]
    assert lines == ['  File "<code>", line 6, in <module>', '  File "<code>", line 4, in parse']
    assert "    return json.loads(text)" in error.error.traceback


def test_what_led_to_an_error_is_shown_as_well(sandbox: Sandbox) -> None:
    ended = sandbox.run("try:\n    1 / 0\nexcept ZeroDivisionError as error:\n    raise ValueError('no') from error")
    assert ended.outcome
    assert ended.outcome.error
    assert "ZeroDivisionError: division by zero" in ended.outcome.error.traceback
    assert ended.outcome.error.traceback.rstrip().endswith("ValueError: no")


def test_a_mistake_in_the_text_is_told_with_its_line(sandbox: Sandbox) -> None:
    ended = sandbox.run("x = 1\ny = = 2\n")
    assert ended.error == "SyntaxError: invalid syntax (<code>, line 2)"
    assert ended.outcome
    assert ended.outcome.error
    assert 'File "<code>", line 2' in ended.outcome.error.traceback
    assert "y = = 2" in ended.outcome.error.traceback


def test_a_time_limit_may_be_cleaned_up_after(sandbox: Sandbox) -> None:
    code = "import time\ntry:\n    time.sleep(60)\nfinally:\n    print('cleaned up')"
    ended = sandbox.run(code, limit=0.3)
    assert ended.outcome
    assert ended.outcome.reason == "TIMEOUT"
    assert ended.error == "TimeLimit: it ran longer than its limit of 0.3 s"
    assert ended.stdout == b"cleaned up\n"


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({}, "code: is missing"),
        ({"code": 5}, "code: must be a text"),
        ({"code": "1", "other": 2}, "other: there is no such parameter"),
        ({"code": "x" * 60_001}, "code: has 60,001 characters; at most 60,000 are possible"),
    ],
)
def test_what_is_no_code_is_refused(params: dict[str, object], message: str) -> None:
    outcome = ending.run(TaskMessage(task=1, attempt=1, kind="code.python", params=params), Limit())
    assert outcome.reason == "ERROR"
    assert outcome.error
    assert outcome.error.message == message


def test_another_kind_is_not_run_here() -> None:
    outcome = ending.run(TaskMessage(task=1, attempt=1, kind="demo.noop", params={}), Limit())
    assert outcome.reason == "UNKNOWN_KIND"


@pytest.mark.parametrize("folder", ["/tmp", "/dev/shm"])  # noqa: S108
def test_what_it_leaves_is_not_there_for_the_next(folder: str, sandbox: Sandbox) -> None:
    before, after = (
        sandbox.run(f"import os\nbefore = os.listdir({folder!r})\nopen({folder!r} + '/x', 'w').close()\nbefore").result
        for _ in range(2)
    )
    assert (before, after) == ([], [])
