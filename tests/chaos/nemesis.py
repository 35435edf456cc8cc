"""Who does the faults: one or two at once, with some calm between; which and when comes from the seed."""

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from random import Random

from tests.chaos import faults
from tests.chaos.books import Fault
from tests.chaos.events import Events
from tests.chaos.faults import Do, Scene

THREADS = 2
UNSETTLED = 8  # runs of one worker that are done, and of which the broker does not know yet
WINDOW = 200  # attempts that the relay may have handed over and not marked; of these too some are run again


@dataclass(frozen=True, slots=True)
class Sort:
    """`short`, `soak`: how many of them a run has.

    `everywhere`: it may cost the runs of all workers and a window of the relay's, not those of one worker alone.
    """

    do: Do
    short: int
    soak: int
    everywhere: bool = False
    heals_in: float = 10.0
    first: bool = False  # it lasts, or takes long to heal


SORTS: Mapping[str, Sort] = {
    "K-W": Sort(faults.kill_a_worker, 12, 200),
    "K-C": Sort(faults.kill_a_child, 5, 100),
    "K-S": Sort(faults.kill_the_sink, 8, 150),
    "K-R": Sort(faults.kill_the_relay, 8, 150, everywhere=True),
    "K-B": Sort(faults.kill_the_web, 5, 100),
    "K-Q": Sort(faults.kill_the_broker, 2, 25, everywhere=True, heals_in=30),
    "G": Sort(faults.stop_in_order, 4, 60, everywhere=True),
    "P": Sort(faults.suspend, 3, 40, everywhere=True),
    "P-Q": Sort(faults.suspend_the_broker, 1, 10, everywhere=True, heals_in=30, first=True),
    "N-D": Sort(faults.spoil_a_line, 4, 60, everywhere=True, heals_in=20),
    "D-L": Sort(faults.spoil_the_database, 2, 30),
    "A-M": Sort(faults.raise_an_alarm, 1, 10, everywhere=True, first=True),
    "Q-D": Sort(faults.spoil_the_queue, 1, 6, everywhere=True, heals_in=90, first=True),
    # Each to the point for one mechanism; a random one does the same now and then.
    "N-R": Sort(faults.cut_off_the_relay, 0, 0, heals_in=5),
    "A-W": Sort(faults.kill_workers_under_an_alarm, 0, 0, everywhere=True, heals_in=10),
    "W-A": Sort(faults.stop_the_web_for_a_while, 0, 0),
    "Q-U": Sort(faults.unbind_the_queue, 0, 0, heals_in=5),
    "T-0": Sort(faults.kill_everything, 1, 6, everywhere=True, heals_in=30),
}


def sort_of(code: str) -> Sort:
    """Also of `@point`, a crash at that point."""
    if code.startswith("@"):
        return Sort(partial(faults.crash_at, code[1:]), 0, 0)
    return SORTS[code]


def plan(counts: Mapping[str, int], seed: int) -> list[str]:
    """Codes of faults in the order in which to do them."""
    codes = [code for code, count in counts.items() for _ in range(count)]
    Random(f"faults {seed}").shuffle(codes)
    return sorted(codes, key=lambda code: not sort_of(code).first)


class Nemesis:
    """Spreads the faults over `seconds`; when they take longer there is no calm between them."""

    def __init__(self, codes: Sequence[str], seconds: float, seed: int, scene: Scene, events: Events) -> None:
        self.done: list[Fault] = []
        self._codes = list(enumerate(codes))
        self._every = seconds / max(1, len(codes))
        self._seed = seed
        self._scene = scene
        self._events = events
        self._lock = threading.Lock()
        self._started = time.monotonic()
        self._threads = [threading.Thread(target=self._work, daemon=True) for _ in range(THREADS)]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def join(self) -> None:
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        while True:
            with self._lock:
                if not self._codes:
                    return
                nth, code = self._codes.pop(0)
            random = Random(f"fault {self._seed} {nth}")
            due = self._started + self._every * (nth + random.random())
            time.sleep(max(0.0, due - time.monotonic()))
            self._do(code, random)

    def _do(self, code: str, random: Random) -> None:
        sort = sort_of(code)
        began = self._events.note("fault", code=code)
        try:
            detail = sort.do(self._scene, random)
        except Exception as error:  # noqa: BLE001 what it was to be done to was away for another fault
            detail = f"it was not possible: {error!r:.300}"
        ended = self._events.note("fault is over", code=code, detail=detail)
        rig = self._scene.rig
        workers = rig.workers if sort.everywhere else 1
        extra_runs = workers * (rig.slots + UNSETTLED) + WINDOW * sort.everywhere
        self.done.append(Fault(code, began, ended, extra_runs, sort.heals_in))
