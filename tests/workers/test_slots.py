"""Slots with real children on one event loop: what waits, what is handed over, and what comes back."""

import asyncio
import os
import select
import signal
import socket
from collections.abc import Callable, Coroutine
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.workers.rig import Rabbit, children_of, task
from workers.answers import pack_answer
from workers.broker import parse_addresses
from workers.children import Template
from workers.courier import Courier
from workers.lookahead import LookAhead
from workers.messages import Outcome, encode_event
from workers.parcels import Parcels
from workers.publisher import Publisher
from workers.reporter import Reporter
from workers.sandbox.probe import Findings
from workers.slots import Slots
from workers.taken import Taken

MODULES = ["workers.handlers.demo", "tests.workers.odd_handlers"]
Work = Callable[[Slots], Coroutine[Any, Any, None]]


def taken(number: int, kind: str = "demo.noop", **params: Any) -> Taken:
    return Taken(number, 1, task(number, kind, **params).encode(), [], kind=kind)


def with_slots(rabbit: Rabbit, count: int, work: Work, sandbox: Findings | None = None) -> None:
    """At the highest level of look-ahead, with a child in each slot."""

    async def main() -> None:
        publisher = Publisher(parse_addresses(rabbit.broker.url("worker")))
        reporter = Reporter(publisher, "here", lambda _: None)
        look_ahead = LookAhead(count)
        look_ahead.level = 2
        parcels = partial(Parcels, Courier([]), "here", 1_048_576)
        slots = Slots(
            count, await Template.start(MODULES), MODULES, look_ahead, reporter, parcels=parcels, sandbox=sandbox
        )
        running = [asyncio.create_task(each) for each in (publisher.run(), reporter.run(), slots.run())]
        try:
            async with asyncio.timeout(60):
                await until(lambda: all(slot.gets_on for slot in slots._slots))
                await work(slots)
        finally:
            for each in running:
                each.cancel()
            await asyncio.gather(*running, return_exceptions=True)
            await slots.template.stop()
            if slots.sandbox and slots.sandbox.template:
                await slots.sandbox.template.stop()

    asyncio.run(main())


def state_of(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]


def is_readable(sock: socket.socket) -> bool:
    return bool(select.select([sock], [], [], 0)[0])


def next_in(sock: socket.socket) -> bytes:
    return sock.recv(65_537, socket.MSG_PEEK | socket.MSG_DONTWAIT)


async def until(true: Callable[[], object]) -> None:
    while not true():
        await asyncio.sleep(0.01)


def test_a_task_taken_back_before_its_child_has_read_it_has_not_started(rabbit: Rabbit) -> None:
    async def work(slots: Slots) -> None:
        [child] = children_of(slots.template._process.pid)
        os.kill(child, signal.SIGSTOP)
        await until(lambda: state_of(child) == "T")
        mine = [taken(number) for number in range(1, 6)]
        for each in mine:
            slots.add(each)
        assert [each.task for each in slots.running] == [1]
        slots.take_back()
        assert slots.running == []
        assert not any(each.in_slot for each in mine)
        await slots.idle()
        slots.drop(mine)
        os.kill(child, signal.SIGCONT)
        slots.add(taken(6, "test.sleep", seconds=600))
        await until(lambda: rabbit.started(6))
        assert [each["task"] for each in rabbit.events()] == [6]

    with_slots(rabbit, 1, work)


def test_a_child_that_is_killed_for_a_cancelled_task_gets_no_other(
    rabbit: Rabbit, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def work(slots: Slots) -> None:
        child = slots._slots[0]._child
        assert child
        monkeypatch.setattr(child, "send_signal", lambda _number: None)  # it is on its way for a while
        late, innocent = taken(1, "test.sleep", seconds=0.5), taken(2)
        slots.add(late)
        await until(lambda: not is_readable(child.link._theirs))
        slots.cancel(late)
        slots.add(innocent)
        await until(lambda: late not in slots.running)
        assert not innocent.in_slot
        os.kill(child.pid, signal.SIGKILL)
        await until(lambda: rabbit.outcomes(0))

    with_slots(rabbit, 1, work)
    assert rabbit.outcome(2)["status"] == "FINISHED"


def test_an_answer_forged_before_its_task_was_read_does_not_upset_the_count(rabbit: Rabbit) -> None:
    async def work(slots: Slots) -> None:
        [child] = children_of(slots.template._process.pid)
        os.kill(child, signal.SIGSTOP)
        await until(lambda: state_of(child) == "T")
        mine = [taken(number) for number in range(1, 4)]
        for each in mine:
            slots.add(each)
        forged = Outcome(task=1, attempt=1, status="FINISHED", run_seconds=0)
        slots._slots[0].on_answers([pack_answer(0.1, encode_event(forged))])
        slots.take_back()
        assert slots.running == []
        assert [each.in_slot for each in mine] == [True, False, False]
        slots.drop(mine)
        os.kill(child, signal.SIGCONT)

    with_slots(rabbit, 1, work)


def test_what_a_child_reads_while_the_rest_is_taken_back_is_told_from_the_rest(
    rabbit: Rabbit, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def work(slots: Slots) -> None:
        child = slots._slots[0]._child
        assert child
        os.kill(child.pid, signal.SIGSTOP)
        await until(lambda: state_of(child.pid) == "T")
        mine = [taken(number, "test.sleep", seconds=0.3) for number in range(1, 5)]
        for each in mine:
            slots.add(each)
        take_back = child.link.take_back

        def taking_turns() -> list[bytes]:
            first = child.link._theirs.recv(65_537, socket.MSG_DONTWAIT)
            os.kill(child.pid, signal.SIGCONT)
            while b'"task":2,' in next_in(child.link._theirs):
                pass
            return [first[1:], *take_back()]

        monkeypatch.setattr(child.link, "take_back", taking_turns)
        slots.take_back()
        assert [each.in_slot for each in mine] == [False, True, False, False]
        assert [each.task for each in slots.running] == [2]
        monkeypatch.undo()
        await until(lambda: len(rabbit.outcomes(0)) == len(mine))
        assert [each["task"] for each in rabbit.outcomes(0)] == [2, 1, 3, 4]
        assert {each["status"] for each in rabbit.outcomes(0)} == {"FINISHED"}
        assert slots._slots[0]._child is child

    with_slots(rabbit, 1, work)


def test_a_child_whose_answer_is_read_while_it_is_being_stopped_gets_no_other(rabbit: Rabbit) -> None:
    async def work(slots: Slots) -> None:
        child = slots._slots[0]._child
        assert child
        done, cancelled, innocent = taken(1), taken(2, "test.sleep", seconds=600), taken(3)
        for each in (done, cancelled, innocent):
            slots.add(each)
        while b'"task":3,' not in next_in(child.link._theirs):
            pass  # the loop has no turn, so nobody reads the answer
        assert slots.running == [done]
        slots.cancel(cancelled)
        assert slots.running == [cancelled]
        assert [each.in_slot for each in (done, cancelled, innocent)] == [True, True, False]
        await until(lambda: len(rabbit.outcomes(0)) == 2)
        assert [each["task"] for each in rabbit.outcomes(0)] == [1, 3]

    with_slots(rabbit, 1, work)


def test_what_waits_behind_a_task_that_is_being_stopped_is_run_by_another_slot(rabbit: Rabbit) -> None:
    async def work(slots: Slots) -> None:
        late, behind = taken(1, "test.stubborn", how="blocked"), taken(3)
        late.timeout_seconds = 0.5
        for each in (late, taken(2, "test.sleep", seconds=0.1), behind):
            slots.add(each)
        assert [len(slot.handed) for slot in slots._slots] == [2, 1]
        await until(lambda: len(rabbit.outcomes(0)) == 2)
        assert [each["task"] for each in rabbit.outcomes(0)] == [2, 3]
        assert slots.running == [late]

    with_slots(rabbit, 2, work)


def test_what_is_cancelled_before_the_child_has_read_all_of_it_is_settled(
    rabbit: Rabbit, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def work(slots: Slots) -> None:
        settled: list[Taken] = []
        monkeypatch.setattr(slots._reporter, "_on_confirmed", settled.extend)
        large = taken(1, text="x" * 1_000_000)  # more than the socket has room for at once
        slots.add(large)
        slots.cancel(large)
        await until(lambda: not slots.running)
        assert settled == [large]

    with_slots(rabbit, 1, work)


@pytest.mark.parametrize("is_last", [False, True])
def test_a_child_whose_answer_is_read_for_a_cancel_gets_the_next_task_once_or_not_at_all(
    rabbit: Rabbit, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, is_last: bool
) -> None:
    """Not when it takes no other: what is left of it may read that, and its end would be charged to it."""

    async def work(slots: Slots) -> None:
        slots._look_ahead.level = 0
        child = slots._slots[0]._child
        assert child
        begun: list[Taken] = []
        monkeypatch.setattr(slots._reporter, "started", begun.append)
        monkeypatch.setattr(slots._reporter, "_on_confirmed", lambda _: slots.feed())
        done = taken(1, "test.leave", pids=str(tmp_path / "pids")) if is_last else taken(1)
        following = taken(2)
        slots.add(done)
        slots.add(following)
        while not is_readable(child.link._ours):
            pass  # the loop has no turn, so nobody reads the answer
        slots.cancel(done)
        assert begun == ([done] if is_last else [done, following])
        await until(lambda: rabbit.outcomes(0))

    with_slots(rabbit, 1, work)
    assert rabbit.outcome(2)["status"] == "FINISHED"
