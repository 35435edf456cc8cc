"""One worker for all tests that leave it as it was: to start one costs more than all that most of them do."""

from collections.abc import Iterator
from contextlib import ExitStack
from itertools import count

import pytest

from tests.fixtures.broker import Broker
from tests.fixtures.processes import Process, eventually
from tests.workers.fixtures import ODD, started
from tests.workers.rig import MOST_NUMBERS, TASKS, Rabbit, Web, ready, serving, task
from workers.messages import TaskMessage

LAST = pytest.StashKey[bool]()  # on the last test before one that needs another worker


class Seen(Process):
    """The shared worker as one test sees it: what it has said since the test began."""

    def __init__(self, process: Process) -> None:
        self.child = process.child
        self._process = process
        self._said = len(process.output)

    @property
    def output(self) -> str:
        return self._process.output[self._said :]


class Shared:
    """Starts what is not there: the first time, after another number of slots was wanted, when a test has killed it."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self._queues = Rabbit(broker)
        self._slots = 0
        self.web = Web()
        self._numbers = count(MOST_NUMBERS, MOST_NUMBERS)
        self._running = ExitStack()
        self._process: Process | None = None
        self._cancelled: set[int] = set()

    def rabbit(self) -> Rabbit:
        """With numbers for tasks that nobody has had yet."""
        return Rabbit(self._broker, next(self._numbers))

    def with_slots(self, slots: int) -> Process:
        if self._process is None or self._process.child.poll() is not None or self._slots != slots:
            self.end()
            self._queues.make_queues()
            self._running.enter_context(serving(self.web))
            options = ("--concurrency", str(slots))
            given = {"MILLRACE_HANDLERS": ODD, "MILLRACE_URL": self.web.url}
            self._process = ready(self._running.enter_context(started(self._broker, "workers", *options, **given)))
            self._slots = slots
        return self._process

    def tidy(self, rabbit: Rabbit) -> None:
        """After a test: what it has left running or waiting is cancelled, so that it is in nobody's way."""
        over = {(each["task"], each["attempt"]) for each in rabbit.events() if each["type"] == "OUTCOME"}
        if left := rabbit.sent - over:
            self._cancelled |= {rabbit.number(task) for task, _ in left}
            rabbit.cancel(*left)
            rabbit.put(task(MOST_NUMBERS - 1))
            rabbit.outcome(MOST_NUMBERS - 1)

    def leave(self) -> None:
        """In order; then all that its tests have put is settled, or cancelled and on its way back into the queue."""
        if self._process and self._process.child.poll() is None:
            assert self._process.stop() == 0
            eventually(lambda: self._queues.consumers(TASKS) == 0)
            left = {TaskMessage.decode(body).task for body, _ in self._queues.take(TASKS)}
            assert left <= self._cancelled
        self.end()

    def end(self) -> None:
        self._process = None
        self._running.close()


@pytest.fixture(scope="session")
def shared(broker: Broker) -> Iterator[Shared]:
    shared = Shared(broker)
    yield shared
    shared.end()


@pytest.fixture
def one_slot(shared: Shared, rabbit: Rabbit, request: pytest.FixtureRequest) -> Iterator[Process]:
    """A worker that knows the demo kinds and the odd ones, and that the test leaves as it was."""
    yield from _seen(shared, 1, rabbit, request)


@pytest.fixture
def two_slots(shared: Shared, rabbit: Rabbit, request: pytest.FixtureRequest) -> Iterator[Process]:
    """The same, which runs two tasks at once."""
    yield from _seen(shared, 2, rabbit, request)


def keep_together(items: list[pytest.Item]) -> None:
    """Those that share a worker come first, so that it is started once."""
    items.sort(key=_slots_of)


def note_following(item: pytest.Item, following: pytest.Item | None) -> None:
    item.stash[LAST] = following is None or _slots_of(following) != _slots_of(item)


def _seen(shared: Shared, slots: int, rabbit: Rabbit, request: pytest.FixtureRequest) -> Iterator[Process]:
    yield Seen(shared.with_slots(slots))
    try:
        shared.tidy(rabbit)
        if request.node.stash[LAST]:
            shared.leave()
    except BaseException:
        shared.end()
        raise


def _slots_of(item: pytest.Item) -> int:
    """How many slots the worker has that it shares; a large number for those that share none."""
    names = getattr(item, "fixturenames", ())
    return 1 if "one_slot" in names else 2 if "two_slots" in names else 3
