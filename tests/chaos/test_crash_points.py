"""kill -9 at each place where something could fall between two steps: nothing is lost, and all is recorded once."""

import random
import time
from collections.abc import Iterator, Sequence

import pytest

from tests.chaos import invariants, ledger
from tests.chaos.asked import Asked
from tests.chaos.books import Books, Fault
from tests.chaos.client import Client
from tests.chaos.database import Database
from tests.chaos.inject import crash_points
from tests.chaos.inject.crash_points import POINTS
from tests.chaos.invariants import artifacts_are_there_whole_and_once
from tests.chaos.rig import Rig
from tests.fixtures.processes import eventually

HIT_SECONDS = 120.0
SETTLED_SECONDS = 120.0
LEAST = 30  # tasks of one crash
KINDS = ("chaos.quick", "chaos.quick", "chaos.quick", "chaos.raises")
WITH_ARTIFACTS = ("chaos.artifacts", "chaos.quick", "chaos.artifacts", "chaos.raises")
ABOUT_ARTIFACTS = ("_chunk", "_artifact", "_chunk_confirm")
IN_FLIGHT = 40  # what one process may have under way, at most


class Scene:
    """A stack on which one crash follows the other."""

    def __init__(self, rig: Rig) -> None:
        self.rig = rig
        self.database = Database(rig.var)
        self.database.watch()
        self._client = Client(rig.url, rig.token())
        self._crashes = 0

    def crash_at(self, point: str, nth: int) -> Books:
        """Creates tasks until a process has crashed, and some more; the books when all have ended."""
        self._crashes += 1
        began = time.monotonic()
        crash_points.arm(str(self.rig.var), point, nth, self._crashes)
        asked: list[Asked] = []
        while not self.has_crashed or len(asked) < LEAST:
            assert time.monotonic() < began + HIT_SECONDS, f"{point} was never passed for the {nth}. time"
            if self.database.open() >= LEAST:  # enough is under way to pass it, when whoever passes it is back
                time.sleep(0.05)
                continue
            asked += self._create(len(asked), WITH_ARTIFACTS if point.endswith(ABOUT_ARTIFACTS) else KINDS)
        eventually(lambda: self.database.open() == 0, SETTLED_SECONDS)
        fault = Fault(point, began, time.monotonic(), IN_FLIGHT, 0)
        # They have a way of their own, and may come home after the outcome.
        eventually(lambda: not [*artifacts_are_there_whole_and_once(self._books(asked, fault))], SETTLED_SECONDS)
        return self._books(asked, fault)

    def _books(self, asked: Sequence[Asked], fault: Fault) -> Books:
        return Books.of(self.database, asked, ledger.read(self.rig.ledger), [fault])

    @property
    def has_crashed(self) -> bool:
        return crash_points.has_crashed(str(self.rig.var))

    def _create(self, first: int, kinds: Sequence[str]) -> list[Asked]:
        """Three at once; then so many are under way that each passes by itself, or nearly so."""
        asked = [
            Asked(f"{self._crashes}-{n}", kinds[n % len(kinds)], random.randrange(10**9))
            for n in range(first, first + 3)
        ]
        self._client.create(asked)
        return asked


def in_turn() -> list[str]:
    """Each time in another role: a keeper pauses longer and longer before it starts what ends again and again."""
    roles = {point: places[0].role for point, places in POINTS.items()}
    return sorted(POINTS, key=lambda point: [each for each in POINTS if roles[each] == roles[point]].index(point))


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    rig = Rig(tmp_path_factory.mktemp("crashes"), workers=2, slots=1)
    rig.start()
    try:
        rig.wait_until_ready()
        yield Scene(rig)
    finally:
        rig.stop()
        for name in rig.parts:
            print(f"== {name}\n{rig.log_of(name)[-3000:]}")


@pytest.mark.parametrize("point", in_turn())
@pytest.mark.parametrize("nth", [1, 7])
def test_nothing_is_lost_and_all_is_recorded_once_after_a_crash_at(point: str, nth: int, scene: Scene) -> None:
    books = scene.crash_at(point, nth)
    broken = invariants.broken(books)
    assert not broken, "\n".join(f"{each}\n{books.history(each.ident)}" for each in broken)
