"""What the broker or the system does to a worker without a word, and what the worker makes of it."""

import asyncio
import errno
import os
import signal
import threading
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from tests.fixtures.processes import eventually
from tests.workers.fixtures import Start
from tests.workers.rig import TASKS, Rabbit, Web, task
from tests.workers.test_slots import MODULES, until
from workers import children, watch
from workers.broker import parse_addresses
from workers.children import ChildDied, Template
from workers.claim import Claims
from workers.endpoint import Endpoint, EndpointError
from workers.worker import Settings, Worker

Work = Callable[[Worker], Coroutine[Any, Any, None]]


def with_worker(rabbit: Rabbit, web: Web, work: Work) -> None:
    """In this process, so that its channel can be reached."""

    async def main() -> None:
        settings = Settings(
            addresses=parse_addresses(rabbit.broker.url("worker")),
            web_url=web.url,
            token="token-of-worker",
            queues=["default"],
            concurrency=1,
            grace_seconds=0,
            modules=MODULES,
        )
        signals: asyncio.Queue[signal.Signals] = asyncio.Queue()
        worker = Worker(settings, await Template.start(MODULES), signals)
        running = asyncio.create_task(worker.run())
        try:
            async with asyncio.timeout(60):
                await work(worker)
        finally:
            signals.put_nowait(signal.SIGTERM)
            await running
            await worker._slots.template.stop()

    asyncio.run(main())


async def heard(true: Callable[[], object]) -> None:
    """Asks RabbitMQ, which takes its time, without holding up the worker in this process."""
    while not await asyncio.to_thread(true):
        await asyncio.sleep(0.05)


def test_a_task_goes_on_when_the_broker_closes_the_channel_that_it_came_by(
    rabbit: Rabbit, web: Web, tmp_path: Path
) -> None:
    ledger = tmp_path / "ledger"
    rabbit.put(task(1, "test.sleep", seconds=2, ledger=str(ledger)))

    async def work(worker: Worker) -> None:
        await heard(lambda: rabbit.started(1))
        channel = worker._consumer._channel
        assert channel
        channel.ack(1_000_000)  # the broker knows of no such delivery
        await channel.gone
        await heard(lambda: [each for each in rabbit.events() if each["type"] == "OUTCOME"])
        await until(lambda: not worker._consumer._holdings.attempts())

    with_worker(rabbit, web, work)
    assert len(ledger.read_text().splitlines()) == 1
    assert rabbit.count(TASKS) == 0
    assert len(web.claims) <= 1  # the delivery that came again joins what runs


def test_a_consumer_that_the_broker_has_forgotten_is_made_anew(
    rabbit: Rabbit, web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "WATCH_SECONDS", 0.2)

    async def work(worker: Worker) -> None:
        await until(lambda: worker._consumer._consumers and worker._consumer._consumers.opened)
        channel, consumers = worker._consumer._channel, worker._consumer._consumers
        assert channel
        assert consumers
        await channel.cancel(consumers.opened[0])
        await asyncio.to_thread(rabbit.put, task(1))
        await heard(lambda: [each for each in rabbit.events() if each["type"] == "OUTCOME"])

    with_worker(rabbit, web, work)


def test_a_consumer_that_gets_nothing_is_made_anew(rabbit: Rabbit, web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    """As after a queue was deleted and made anew within milliseconds: what the broker hands over does not arrive."""
    monkeypatch.setattr(watch, "WATCH_SECONDS", 0.2)

    async def work(worker: Worker) -> None:
        await until(lambda: worker._consumer._consumers and worker._consumer._consumers.opened)
        monkeypatch.setattr(worker._consumer._consumers, "_on_delivery", lambda _: None)
        await asyncio.to_thread(rabbit.put, task(1))
        await heard(lambda: rabbit.count(TASKS) == 0)
        await asyncio.to_thread(rabbit.put, task(2))
        await heard(lambda: len([each for each in rabbit.events() if each["type"] == "OUTCOME"]) == 2)

    with_worker(rabbit, web, work)


def test_a_worker_that_can_start_no_process_gives_back_what_it_holds(
    rabbit: Rabbit, worker: Start, tmp_path: Path
) -> None:
    no_room = tmp_path / "no_room"
    no_room.touch()
    modules = "workers.handlers.demo,tests.workers.handlers_without_room"
    process = worker(MILLRACE_HANDLERS=modules, NO_ROOM=str(no_room))
    rabbit.put(task(1), task(2))
    eventually(lambda: "no process to run tasks in: its process was not started: " in process.output)
    eventually(lambda: rabbit.count(TASKS) == 2)
    no_room.unlink()
    assert [each["status"] for each in rabbit.outcomes(2)] == ["FINISHED"] * 2
    assert process.output.count("no process to run tasks in") == 1


def test_a_worker_without_a_descriptor_for_a_child_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_pair() -> None:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    async def main() -> None:
        template = await Template.start(["workers.handlers.demo"])
        monkeypatch.setattr(children, "pair", no_pair)
        with pytest.raises(ChildDied, match="too many open files"):
            await template.fork(lambda _: None)
        await template.stop()

    asyncio.run(main())


def test_a_worker_without_a_thread_to_look_up_the_web_in_asks_later(monkeypatch: pytest.MonkeyPatch, web: Web) -> None:
    def no_thread(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    async def main() -> None:
        claims = Claims(Endpoint(web.url.replace("127.0.0.1", "localhost"), "token-of-worker"), "here", lambda _: None)
        with monkeypatch.context() as without:
            without.setattr(threading.Thread, "start", no_thread)
            with pytest.raises(EndpointError, match="can't start new thread"):
                await claims._ask(1, 1)
        assert await claims._ask(1, 1) == ("RUN", "")

    asyncio.run(main())


def test_a_worker_whose_user_may_not_have_a_queue_of_its_own_says_so(rabbit: Rabbit, worker: Start) -> None:
    process = worker(RABBITMQ_URL=rabbit.broker.url("sink"))
    eventually(lambda: "its user lacks rights for its own queue: to configure" in process.output)
    assert process.output.count("its user lacks rights") == 1
