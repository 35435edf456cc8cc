"""Who does the faults: one or two at once, with some calm between. Which and when comes from the seed."""

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from functools import partial
from random import Random

from tests.chaos import faults
from tests.chaos.books import Fault
from tests.chaos.events import Events
from tests.chaos.faults import Do, Scene

UNSETTLED = 8  # runs of one worker that are done, and of which the broker does not know yet
WINDOW = 200  # attempts that the relay may have handed over and not marked


class Costs(Enum):
    """What may be run again for a fault: what one worker has under way, what all have, a window of the relay's too."""

    ONE_WORKER = auto()
    WORKERS = auto()
    A_WINDOW = auto()


@dataclass(frozen=True, slots=True)
class Sort:
    """`short`, `soak`: how many of them a run has. `place`: one of them comes before (-1) or after (1) all others."""

    do: Do
    short: int
    soak: int
    costs: Costs = Costs.ONE_WORKER
    of_broker: bool = False
    heals_in: float = 10.0
    place: int = 0


def _of_one(do: Do, short: int = 0, soak: int = 0, costs: Costs = Costs.ONE_WORKER) -> Sort:
    return Sort(do, short, soak, costs)


def _of_broker(do: Do, short: int = 0, soak: int = 0, heals_in: float = 30.0, place: int = 0) -> Sort:
    return Sort(do, short, soak, Costs.A_WINDOW, of_broker=True, heals_in=heals_in, place=place)


SORTS: Mapping[str, Sort] = {
    "K-W": _of_one(faults.kill_a_worker, 12, 200),
    "K-C": _of_one(faults.kill_a_child, 5, 100),
    "K-S": _of_one(faults.kill_the_sink, 8, 150),
    "K-R": _of_one(faults.kill_the_relay, 8, 150, Costs.A_WINDOW),
    "K-B": _of_one(faults.kill_the_web, 5, 100),
    "G": _of_one(faults.stop_in_order, 4, 60, Costs.WORKERS),
    "P": _of_one(faults.suspend, 3, 40, Costs.WORKERS),
    "D-L": _of_one(faults.spoil_the_database, 2, 30, Costs.WORKERS),
    "Q-D": _of_broker(faults.spoil_the_queue, 1, 6, heals_in=90, place=-1),  # the last of it is healed after a minute
    "A-M": _of_broker(faults.raise_an_alarm, 1, 10, heals_in=10),
    "N-D": _of_broker(faults.spoil_a_line, 4, 60, heals_in=20),
    "K-Q": _of_broker(faults.kill_the_broker, 2, 25),
    "T-0": _of_broker(faults.kill_everything, 1, 6),
    "P-Q": _of_broker(faults.suspend_the_broker, 1, 10, place=1),  # it would hold up the others
    # Each to the point for one mechanism; a random one does the same now and then.
    "Q-U": _of_broker(faults.unbind_the_queue, heals_in=5),
    "N-R": _of_broker(faults.cut_off_the_relay, heals_in=5),
    "A-W": _of_broker(faults.kill_workers_under_an_alarm, heals_in=10),
    "W-A": _of_one(faults.stop_the_web_for_a_while),
    "A-D": _of_broker(faults.run_out_of_memory, heals_in=10),
}


def sort_of(code: str) -> Sort:
    """Also of `@point`, a crash at that point."""
    if code.startswith("@"):
        return _of_one(partial(faults.crash_at, code[1:]), costs=Costs.A_WINDOW)
    return SORTS[code]


def plan(counts: Mapping[str, int], seed: int) -> list[str]:
    """Codes of faults in the order in which to do them."""
    codes = [code for code, count in counts.items() for _ in range(count)]
    Random(f"faults {seed}").shuffle(codes)
    for code in sorted(set(codes)):
        if place := sort_of(code).place:
            codes.remove(code)
            codes.insert(0 if place < 0 else len(codes), code)
    return codes


class Nemesis:
    """Does one fault of a single process and one of the broker, the lines to it or everything at a time.

    Each of the two spreads its faults over `seconds`; when they take longer there is no calm between them.
    """

    def __init__(self, codes: Sequence[str], seconds: float, seed: int, scene: Scene, events: Events) -> None:
        self.done: list[Fault] = []
        self.missed = 0
        self._seconds = seconds
        self._seed = seed
        self._scene = scene
        self._events = events
        lanes = [[code for code in codes if sort_of(code).of_broker is of_broker] for of_broker in (False, True)]
        self._threads = [threading.Thread(target=self._work, args=[lane], daemon=True) for lane in lanes]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def join(self) -> None:
        for thread in self._threads:
            thread.join()

    def _work(self, codes: Sequence[str]) -> None:
        started = time.monotonic()
        every = self._seconds / max(1, len(codes))
        for nth, code in enumerate(codes):
            random = Random(f"fault {self._seed} {code} {nth}")
            due = started + every * (nth + random.random() / 2)
            time.sleep(max(0.0, due - time.monotonic()))
            self._do(code, random)

    def _do(self, code: str, random: Random) -> None:
        sort = sort_of(code)
        began = self._events.note("fault", code=code)
        try:
            detail = sort.do(self._scene, random)
        except Exception as error:  # noqa: BLE001 two at once may be in each other's way in many ways
            self._events.note("fault is missed", code=code, detail=repr(error)[:300])
            self.missed += 1
            return
        ended = self._events.note("fault is over", code=code, detail=detail)
        rig = self._scene.rig
        workers = 1 if sort.costs is Costs.ONE_WORKER else rig.workers
        extra_runs = workers * (rig.slots + UNSETTLED) + WINDOW * (sort.costs is Costs.A_WINDOW)
        self.done.append(Fault(code, began, ended, extra_runs, sort.heals_in))
