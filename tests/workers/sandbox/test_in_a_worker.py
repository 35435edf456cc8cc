"""Code in a real worker, beside handlers: how each of its ends is told, and that nobody else notices."""

import itertools
import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.fixtures.broker import Broker
from tests.fixtures.processes import Process, eventually
from tests.workers.fixtures import ODD, started
from tests.workers.rig import TASKS, Event, Rabbit, Web, children_of, is_alive, ready, serving, task
from workers.messages import Outcome, encode_event
from workers.slot import INTRUDER

HANDLERS = f"{ODD},workers.sandbox"
SLEEPS = "import time\nprint('sleeps')\ntime.sleep(1000)"
SENDS = """
import os, socket, struct
for number in range(3, 20):
    try:
        link = socket.socket(fileno=os.dup(number))
        break
    except OSError:
        pass
def say(event, sort=b"A"):
    head = struct.pack("cd?", b"A", 0.1, True) if sort == b"A" else sort
    link.send(b"\\0" + head + event)
"""


@dataclass
class House:
    """A worker with two slots, its queues, and numbers for tasks that nobody has had yet."""

    rabbit: Rabbit
    process: Process
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def put(self, code: str, *, limit: float | None = 60) -> int:
        number = next(self.numbers)
        self.rabbit.put(task(number, "code.python", limit=limit, code=code.replace("TASK", str(number))))
        return number

    def outcome(self, code: str, *, limit: float | None = 60) -> Event:
        return self.rabbit.outcome(self.put(code, limit=limit))

    def results(self) -> dict[int, str | None]:
        return {each["task"]: each.get("result") for each in self.rabbit.events() if each["type"] == "OUTCOME"}

    def printed(self, number: int) -> str:
        pieces = [each for each in self.rabbit.events() if each["type"] == "OUTPUT" and each["task"] == number]
        return "".join(text for piece in pieces for _, text in piece["parts"])

    def pids_that_say(self, what: bytes) -> list[int]:
        """Of the processes below the worker, those of that command line."""
        below = children_of(self.process.child.pid)
        return [pid for pid in below if is_alive(pid) and what in Path(f"/proc/{pid}/cmdline").read_bytes()]


@pytest.fixture(scope="module")
def house(broker: Broker) -> Iterator[House]:
    rabbit = Rabbit(broker)
    rabbit.make_queues()
    with serving(Web()) as web:
        given = {"MILLRACE_URL": web.url, "MILLRACE_HANDLERS": HANDLERS}
        with started(broker, "workers", "--concurrency", "2", **given) as process:
            yield House(rabbit, ready(process))


@pytest.fixture(autouse=True)
def others_are_served(house: House) -> Iterator[None]:
    """After each test, whatever it has done: both sorts of task."""
    yield
    number = next(house.numbers)
    house.rabbit.put(task(number, "demo.noop", x=5))
    assert house.outcome("6 * 7")["result"] == "42"
    assert house.rabbit.outcome(number)["result"] == "5"


def test_its_value_and_what_it_used_are_told(house: House) -> None:
    outcome = house.outcome("sum(x * x for x in range(300_000)) / 1000.0")
    assert outcome["status"] == "FINISHED"
    assert outcome["value"] == repr(sum(x * x for x in range(300_000)) / 1000.0)
    assert outcome["run_seconds"] > 0
    assert outcome["cpu_seconds"] > 0
    assert outcome["peak_bytes"] > 10_000_000


def test_what_it_prints_is_heard(house: House) -> None:
    number = house.put("import sys\nprint('to people')\nprint('trouble', file=sys.stderr)")
    house.rabbit.outcome(number)
    assert {"to people", "trouble"} == set(house.printed(number).split("\n")) - {""}


def test_an_error_shows_its_line(house: House) -> None:
    outcome = house.outcome("x = 1\ny = 0\nx / y")
    assert (outcome["status"], outcome["reason"]) == ("FAILED", "ERROR")
    assert outcome["error"]["type"] == "ZeroDivisionError"
    assert 'File "<code>", line 3' in outcome["error"]["traceback"]


def test_it_may_tell_how_far_it_has_come(house: House) -> None:
    number = house.put("from workers.task import progress\nprogress(0.25, 'a quarter')\nimport time\ntime.sleep(600)")
    eventually(lambda: any(each["type"] == "PROGRESS" and each["task"] == number for each in house.rabbit.events()))
    told = next(each for each in house.rabbit.events() if each["type"] == "PROGRESS" and each["task"] == number)
    assert (told["fraction"], told["text"]) == (0.25, "a quarter")
    house.rabbit.cancel((number, 1))


def test_a_time_limit_is_told_and_may_be_cleaned_up_after(house: House) -> None:
    number = house.put("import time\ntry:\n    time.sleep(60)\nfinally:\n    print('cleaned up')", limit=0.3)
    assert house.rabbit.outcome(number)["reason"] == "TIMEOUT"
    assert house.printed(number) == "cleaned up\n"


def test_who_does_not_hear_of_the_time_limit_is_killed(house: House) -> None:
    deaf = "import signal, time\nsignal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))\ntime.sleep(1000)"
    outcome = house.outcome(deaf, limit=0.3)
    assert outcome["reason"] == "TIMEOUT"
    assert outcome["error"]["message"] == "it ran longer than its limit of 0.3 s and was killed 5 s later"


def test_a_cancelled_one_is_killed(house: House) -> None:
    number = house.put(SLEEPS)
    eventually(lambda: house.printed(number))
    house.rabbit.cancel((number, 1))
    eventually(lambda: house.rabbit.count(TASKS) == 0)
    for _ in range(2):  # each of the two places
        assert house.outcome("1 + 1")["result"] == "2"
    assert not [each for each in house.rabbit.events() if each["type"] == "OUTCOME" and each["task"] == number]


def test_a_crash_is_told(house: House) -> None:
    outcome = house.outcome("import os\nos._exit(3)")
    assert (outcome["reason"], outcome["error"]["message"]) == ("CRASHED", "its process exited with code 3")
    outcome = house.outcome("import ctypes\nctypes.string_at(0)")
    assert outcome["error"]["message"] == "its process was killed by SIGSEGV, a fault in native code"


def test_who_breaks_what_it_answers_with_is_told_so(house: House) -> None:
    outcome = house.outcome(f"{SENDS}\nlink.shutdown(socket.SHUT_RDWR)")
    assert outcome["reason"] == "CRASHED"
    assert outcome["error"]["message"].endswith(": it had closed or broken what it answers with")


@pytest.mark.parametrize("sort", [b"A", b"N"], ids=["answer", "note"])
def test_what_it_forges_for_another_goes_nowhere(house: House, sort: bytes) -> None:
    victim = house.put(SLEEPS)
    eventually(lambda: house.printed(victim))
    forged = encode_event(Outcome(task=victim, attempt=1, status="FINISHED", value="666.0", run_seconds=1))
    own = f'{{"type":"OUTCOME","task":{victim + 1},"attempt":1,"status":"FINISHED","run_seconds":0}},'.encode()
    for event in (forged, own + forged):
        outcome = house.outcome(f"{SENDS}\nsay({event!r}, {sort!r})\nimport time\ntime.sleep(1000)")
        assert (outcome["reason"], outcome["error"]["message"]) == ("CRASHED", INTRUDER)
    assert not [each for each in house.rabbit.events() if each["type"] == "OUTCOME" and each["task"] == victim]
    house.rabbit.cancel((victim, 1))


def test_who_says_too_much_is_ended(house: House) -> None:
    note = f'{SENDS}\nevent = b\'{{"type":"PROGRESS","task":%d,"attempt":1,"fraction":0.5}}\'\n'
    number = next(house.numbers)
    code = note.replace("%d", str(number)) + "while True: say(event, b'N')"
    house.rabbit.put(task(number, "code.python", limit=60, code=code))
    assert house.rabbit.outcome(number)["error"]["message"] == INTRUDER


def test_its_own_run_time_is_not_believed(house: House) -> None:
    number = next(house.numbers)
    forged = encode_event(Outcome(task=number, attempt=1, status="FINISHED", value="1.0", run_seconds=86_400))
    code = f"{SENDS}\nsay({forged!r})\nimport time\ntime.sleep(1000)"
    house.rabbit.put(task(number, "code.python", limit=60, code=code))
    outcome = house.rabbit.outcome(number)
    assert outcome["value"] == "1.0"
    assert outcome["run_seconds"] < 80_000


def test_many_of_both_sorts_get_each_its_own_answer(house: House) -> None:
    code, handled = [next(house.numbers) for _ in range(40)], [next(house.numbers) for _ in range(160)]
    mixed = [task(number, "code.python", limit=60, code=f"print({number})\n{number}") for number in code]
    mixed += [task(number, "demo.noop", x=number) for number in handled]
    house.rabbit.put(*sorted(mixed, key=lambda each: hash((each.task, "mixed"))))
    wanted = {number: str(number) for number in code + handled}
    eventually(lambda: wanted.keys() <= house.results().keys())
    assert wanted.items() <= house.results().items()
    assert all(house.printed(number) == f"{number}\n" for number in code)


def test_a_large_text_travels(house: House) -> None:
    assert house.outcome(f"text = '{'ü' * 50_000}'\nlen(text)")["result"] == "50000"


def test_neither_template_takes_the_other_one_along(house: House) -> None:
    handled, code = next(house.numbers), house.put(SLEEPS)
    house.rabbit.put(task(handled, "test.sleep", seconds=600))
    eventually(lambda: house.printed(code) and house.rabbit.started(handled))
    for pid in house.pids_that_say(b"workers.sandbox.template"):
        os.kill(pid, signal.SIGKILL)
    assert house.rabbit.outcome(code)["reason"] == "CRASHED"
    code = house.put(SLEEPS)
    eventually(lambda: house.printed(code))
    for pid in house.pids_that_say(b"workers.template"):
        os.kill(pid, signal.SIGKILL)
    assert house.rabbit.outcome(handled)["reason"] == "CRASHED"
    assert house.outcome("1 + 1")["result"] == "2"
    assert not [each for each in house.rabbit.events() if each["type"] == "OUTCOME" and each["task"] == code]
    house.rabbit.cancel((code, 1))
