"""One run of the chaos test: load and faults, then quiet, then the books."""

import itertools
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pika.exceptions import AMQPError

from devstack import credentials
from tests.chaos import books, invariants, ledger, load, nemesis, recovery
from tests.chaos.asked import Asked
from tests.chaos.client import Client, Unanswered
from tests.chaos.database import Database
from tests.chaos.events import Events
from tests.chaos.faults import Scene
from tests.chaos.invariants import Broken
from tests.chaos.load import Load
from tests.chaos.nemesis import Nemesis
from tests.chaos.node import Node
from tests.chaos.pages import Pages
from tests.chaos.proxy import Proxies
from tests.chaos.rig import Rig
from tests.chaos.vitals import Vitals
from workers.broker import ARTIFACTS, DEAD, OUTCOMES, tasks_queue

QUIET_SECONDS = 60.0
BACKLOG = 100  # tasks; fewer than that may end one after the other and still hide one that is stuck
QUEUES = (tasks_queue("default"), OUTCOMES, ARTIFACTS, DEAD)
READY_SECONDS = 60.0
KINDS_SECONDS = 90.0
CALM_SECONDS = 5.0
COUNTED = 10_000  # further the page does not count
GIVE_UP_SECONDS = 600.0  # for a request of the driver's that nobody answers


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is to be run."""

    tasks: int
    seconds: float
    seed: int
    faults: Mapping[str, int]
    without: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    workers: int = 3
    slots: int = 2
    stretch: float = 1.0
    quiet_seconds: float = QUIET_SECONDS
    calm: int = 0  # tasks of a load of its own, before the faults

    @property
    def brief(self) -> bool:
        return self.seconds < 300


@dataclass(slots=True)
class Found:
    """What came of it. `calm`: of what was asked for before the faults."""

    books: books.Books
    broken: list[Broken] = field(default_factory=list)
    recoveries: list[float] = field(default_factory=list)
    missed: int = 0  # faults that could not be done
    calm: "Found | None" = None


class Campaign:
    def __init__(self, wish: Wish, var: Path, server: Any) -> None:
        self._wish = wish
        secrets = credentials.ensure(var)
        parts = ["relay", "sink", *(f"worker-{n}" for n in range(1, wish.workers + 1))]
        self._proxies = Proxies(parts, secrets["broker"]["port"])
        self.rig = Rig(
            var,
            workers=wish.workers,
            slots=wish.slots,
            database_url=server.get_uri() if server else "",
            without=wish.without,
            through=self._proxies.ports,
        )
        self._database = Database(var, self.rig.database_url)
        self._node = Node(self.rig)
        self._scene = Scene(self.rig, self._node, self._proxies, self._database, server, wish.brief)
        self.events = Events(var / "events.jsonl")

    def run(self) -> Found:
        """With a stack of its own from start to end."""
        with self.prepared():
            self.rig.start_parts()
            found = self._run()
        found.broken += [Broken("I13 orphans", "", each) for each in self.rig.leftovers()]
        return found

    @contextmanager
    def prepared(self) -> Iterator[None]:
        """The broker is up, and there is a database."""
        self._proxies.start()
        try:
            self.rig.prepare()
            yield
        finally:
            self.rig.stop()
            self._proxies.stop()

    def keep(self) -> None:
        """What there is before the first task, for `run_again`."""
        self.rig.token()
        self._database.keep()

    def run_again(self, wish: Wish) -> Found:
        """Another run on the same broker, from what was kept. It has as many workers and slots as the first."""
        self._wish = wish
        self.rig.stop(*(name for name in self.rig.parts if name != "broker"))
        self._node.clear()
        self._database.restore()
        self.rig.forget()
        self.rig.without = wish.without
        self.rig.start_parts()
        return self._run()

    def _wait_for_kinds(self) -> None:
        """A worker is there a moment before what it can do is known."""
        deadline = time.monotonic() + KINDS_SECONDS
        while not self._database.read("SELECT 1 FROM tasks_kind"):
            assert time.monotonic() < deadline, "no worker has announced its kinds"
            time.sleep(0.05)

    def _run(self) -> Found:
        wish = self._wish
        self.rig.wait_until_ready()
        self._wait_for_kinds()
        self._database.watch()
        vitals = Vitals(self.rig)
        vitals.start()
        end = time.monotonic() + wish.seconds + GIVE_UP_SECONDS
        client = Client(self.rig.url, self.rig.token(), goes_on=lambda: time.monotonic() < end)
        calm = self._before_the_faults(client) if wish.calm else None
        calls = load.plan(wish.tasks, wish.seconds * 0.9, wish.seed, wish.stretch, wish.kinds)
        creating = Load(calls, client, self.events)
        spoiling = Nemesis(nemesis.plan(wish.faults, wish.seed), wish.seconds, wish.seed, self._scene, self.events)
        creating.start()
        spoiling.start()
        spoiling.join()
        creating.join()
        load_ended = self.events.note("load and faults are over")
        quiet = self._wait_for_quiet(spoiling.done, load_ended)
        self.events.note("quiet" if quiet else "not quiet")
        asked = [*(calm.books.asked if calm else ()), *itertools.chain(*calls)]
        self._wait_for_artifacts(asked)
        found = self._check(asked, spoiling.done)
        found.calm = calm
        found.missed = spoiling.missed
        found.broken += list(self._around(client, vitals, READY_SECONDS if quiet else 0.0))
        return found

    def _before_the_faults(self, client: Client) -> Found:
        """With the same stack: to start one takes more than all that this asks of it."""
        wish = self._wish
        calls = load.plan(wish.calm, CALM_SECONDS * 0.9, wish.seed, wish.stretch, wish.kinds, prefix="calm")
        creating = Load(calls, client, self.events)
        creating.start()
        creating.join()
        self._wait_for_quiet([], self.events.note("the calm is over"))
        asked = list(itertools.chain(*calls))
        self._wait_for_artifacts(asked)
        return self._check(asked, [])

    def _wait_for_quiet(self, done: Sequence[books.Fault], load_ended: float) -> bool:
        """Whether nothing is open any more, in time after the last fault. A backlog that gets smaller is not stuck."""
        healed = [fault.ended + fault.heals_in for fault in done]
        deadline = max([load_ended, *healed]) + self._wish.quiet_seconds
        fewest = self._database.open()
        while still := self._database.open():
            if still <= fewest - BACKLOG:
                fewest, deadline = still, max(deadline, time.monotonic() + self._wish.quiet_seconds)
            if time.monotonic() > deadline:
                return False
            time.sleep(0.2)
        return True

    def _wait_for_artifacts(self, asked: Sequence[Asked]) -> None:
        """They have a way of their own, and may come home after the outcome; if none does any more, the check tells."""
        fewest, deadline = len(asked), time.monotonic() + self._wish.quiet_seconds
        while missing := self._missing_artifacts(asked):
            if missing < fewest:
                fewest, deadline = missing, time.monotonic() + self._wish.quiet_seconds
            if time.monotonic() > deadline:
                return
            time.sleep(0.5)

    def _missing_artifacts(self, asked: Sequence[Asked]) -> int:
        return len(list(invariants.artifacts_are_there_whole_and_once(books.Books.of(self._database, asked, ()))))

    def _check(self, asked: Sequence[Asked], done: Sequence[books.Fault]) -> Found:
        found = Found(books.Books.of(self._database, asked, ledger.read(self.rig.ledger), done))
        found.broken += invariants.broken(found.books)
        # The monotonic clock is what faults were noted by.
        offset = time.time() - time.monotonic()
        finished = [at - offset for at in self._database.finished_at()]
        measured = list(recovery.recoveries(done, finished))
        found.broken += recovery.too_slow(measured)
        found.recoveries = [seconds for _, seconds in measured]
        known = {each.ident for each in asked}
        strangers = [row for row in self._database.tasks() if row.name not in known]
        found.broken += [Broken("I10 unexpected", "", f"nobody asked for {row}") for row in strangers]
        return found

    def _around(self, client: Client, vitals: Vitals, drained_seconds: float) -> Iterator[Broken]:
        """What is true of the stack as a whole, now that it is quiet; or that what is stuck will not move any more."""
        try:
            self.rig.wait_until_ready(READY_SECONDS)
        except AssertionError as missing:
            yield Broken("I16 not ready", "", str(missing))
        try:
            for queue, count in self._left_in_broker(drained_seconds).items():
                yield Broken("I2 stuck", "", f"{count} messages are left in {queue}")
        except (AMQPError, OSError) as error:
            yield Broken("I16 not ready", "", f"the broker: {error!r:.300}")
        yield from self._shown(client)
        for text in (*vitals.end(), *vitals.tracebacks()):
            yield Broken("I14 health", "", text)

    def _left_in_broker(self, seconds: float) -> dict[str, int]:
        """Messages that stay: heartbeats come and go."""
        deadline = time.monotonic() + seconds
        while left := {queue: count for queue, count in self._node.ready(*QUEUES).items() if count}:
            if time.monotonic() > deadline:
                return left
            time.sleep(0.2)
        return {}

    def _shown(self, client: Client) -> Iterator[Broken]:
        stored = {row.number: row.status for row in self._database.tasks()}
        try:
            pages = Pages(self.rig)
            listed, shown, counts = client.statuses(), pages.statuses(), pages.counts()
        except (OSError, Unanswered) as error:
            yield Broken("I15 shown", "", f"the pages do not answer: {error!r}")
            return
        for where, told in (("GraphQL", listed), ("the table", shown)):
            wrong = [number for number, status in told.items() if stored.get(number) != status]
            if wrong or not told:
                yield Broken("I15 shown", "", f"{where} tells {len(told)} tasks, and another status of {wrong[:20]}")
        if len(listed) != len(stored) or sum(counts.values()) != len(stored) <= COUNTED:
            told_counts = f"{len(listed)} in GraphQL, {counts} on the page"
            yield Broken("I15 shown", "", f"there are {len(stored)} tasks; {told_counts}")


def machine() -> str:
    return f"{os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}"
