"""The load of a run: which tasks, when, and what is done to them afterwards; every choice comes from the seed."""

import heapq
import itertools
import math
import threading
import time
from collections.abc import Iterator, Sequence
from random import Random

from tests.chaos.asked import Asked
from tests.chaos.client import Client, Unanswered
from tests.chaos.database import FINAL
from tests.chaos.events import Events

WEIGHTS = {
    "chaos.quick": 60,
    "chaos.medium": 15,
    "chaos.long": 5,
    "chaos.raises": 8,
    "chaos.dies": 2,
    "chaos.overtime": 2,
    "chaos.prints": 2,
    "chaos.odd": 2,
    "chaos.artifacts": 2,
}
CANCELLED, RETRIED, TWICE = 0.02, 0.01, 0.01  # of all tasks; of those that raise it is more that are retried
RETRIED_OF_RAISING = RETRIED * sum(WEIGHTS.values()) / WEIGHTS["chaos.raises"]
MOST_IN_ONE_CALL = 12
CANCEL_WITHIN_SECONDS = 4.0
LOOK_AGAIN_SECONDS = 0.5
THREADS = 2
PATIENCE_SECONDS = 60.0  # until a task has ended that is to be retried then


def plan(
    count: int, seconds: float, seed: int, stretch: float, kinds: Sequence[str] = (), *, prefix: str = "t"
) -> list[list[Asked]]:
    """The calls in the order of their times, each with some tasks, whose names begin with `prefix`."""
    random = Random(f"load {seed}")
    known = kinds or tuple(WEIGHTS)
    weights = [WEIGHTS[kind] for kind in known]
    calls: list[list[Asked]] = []
    numbers = itertools.count(1)
    while (left := count - sum(map(len, calls))) > 0:
        size = min(left, random.randint(1, MOST_IN_ONE_CALL))
        names = [(f"{prefix}{next(numbers)}", random.choices(known, weights)[0]) for _ in range(size)]
        calls.append([_asked(name, kind, random, stretch) for name, kind in names])
    for call, at in zip(calls, sorted(random.uniform(0, seconds) for _ in calls), strict=True):
        for asked in call:
            asked.at = at
    return calls


class Load:
    """Threads that create the tasks when their time has come, and one that cancels, retries and asks again."""

    def __init__(self, calls: Sequence[list[Asked]], client: Client, events: Events) -> None:
        self._client = client
        self._events = events
        self._calls = iter(calls)
        self._lock = threading.Lock()
        self._started = time.monotonic()
        self._later: list[tuple[float, int, str, Asked]] = []
        self._nth = itertools.count()
        self._created = threading.Event()
        self._give_up_at = math.inf
        self._loaders = [threading.Thread(target=self._create, daemon=True) for _ in range(THREADS)]
        self._hand = threading.Thread(target=self._lend_a_hand, daemon=True)

    def start(self) -> None:
        for thread in (*self._loaders, self._hand):
            thread.start()

    def join(self) -> None:
        """Returns when all are created, and all is done to them that was to be done."""
        for thread in self._loaders:
            thread.join()
        self._created.set()
        self._give_up_at = time.monotonic() + PATIENCE_SECONDS
        self._hand.join()

    def _create(self) -> None:
        for call in self._take():
            time.sleep(max(0.0, self._started + call[0].at - time.monotonic()))
            self._client.create(call)
            self._events.note("created", tasks={asked.ident: sorted(asked.numbers) for asked in call})
            for asked in call:
                self._plan_more(asked)

    def _take(self) -> Iterator[list[Asked]]:
        while True:
            with self._lock:
                call = next(self._calls, None)
            if call is None:
                return
            yield call

    def _plan_more(self, asked: Asked) -> None:
        if not asked.acknowledged:
            return
        if asked.twice:
            self._push(0.0, "create again", asked)
        if asked.cancel_after is not None:
            self._push(asked.cancel_after, "cancel", asked)
        if asked.to_be_retried:
            self._push(LOOK_AGAIN_SECONDS, "retry", asked)

    def _push(self, after: float, what: str, asked: Asked) -> None:
        with self._lock:
            heapq.heappush(self._later, (time.monotonic() + after, next(self._nth), what, asked))

    def _lend_a_hand(self) -> None:
        while (self._later or not self._created.is_set()) and time.monotonic() < self._give_up_at:
            with self._lock:
                due = bool(self._later) and self._later[0][0] <= time.monotonic()
                _, _, what, asked = heapq.heappop(self._later) if due else (0.0, 0, "", None)
            if asked:
                self._do(what, asked)
            else:
                time.sleep(0.05)

    def _do(self, what: str, asked: Asked) -> None:
        if what == "create again":
            self._client.create([asked])
        elif what == "cancel":
            self._client.cancel(asked)
        elif not self._has_ended(asked):
            self._push(LOOK_AGAIN_SECONDS, what, asked)
            return
        else:
            self._client.retry(asked)
        self._events.note(what, task=asked.ident, numbers=sorted(asked.numbers))

    def _has_ended(self, asked: Asked) -> bool:
        try:
            return self._client.status(min(asked.numbers)) in ("", *FINAL)
        except Unanswered:
            return False


def _asked(ident: str, kind: str, random: Random, stretch: float) -> Asked:
    asked = Asked(ident, kind, random.randrange(10**9), stretch)
    if random.random() < CANCELLED:
        asked.cancel_after = random.uniform(0, CANCEL_WITHIN_SECONDS)
    elif kind == "chaos.raises" and random.random() < RETRIED_OF_RAISING:
        asked.to_be_retried = True
    elif random.random() < TWICE:
        asked.twice = True
    return asked
