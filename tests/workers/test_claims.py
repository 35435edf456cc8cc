"""A delivery that may be a duplicate: its task is left to the worker that runs it, or taken over when that is gone."""

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from tests.fixtures.processes import Process, eventually
from tests.workers.fixtures import Start
from tests.workers.rig import TASKS, Rabbit, Web, ready, task
from workers import claim
from workers.broker import Connection, connect, control_queue, parse_addresses
from workers.endpoint import Endpoint
from workers.messages import Vanished, encode_event
from workers.presence import OURS_IS_YOUNG_SECONDS, Presence

AGAIN = {"x-again": 1}
NOBODY = "nobody:1:abcdef"


def name_of(process: Process) -> str:
    return ready(process).output.split("worker ")[1].split(" ")[0]


def asked(web: Web, number: int) -> int:
    """How often."""
    return sum(claim["task"] == number for claim in web.claims)


def said_gone(rabbit: Rabbit, number: int) -> list[str]:
    """The workers of which it was said."""
    events = [event for event in rabbit.events() if event["type"] == "VANISHED"]
    return [event["holder"] for event in events if event["task"] == number]


def test_a_duplicate_of_what_another_worker_runs_is_dropped(
    rabbit: Rabbit, worker: Start, web: Web, tmp_path: Path
) -> None:
    ledger = tmp_path / "ledger"
    first = worker()
    web.held = {(1, 1): name_of(first)}
    rabbit.put(task(1, "test.sleep", seconds=600, ledger=str(ledger)))
    eventually(lambda: rabbit.started(1) and ledger.exists())
    second = ready(worker())
    rabbit.put(task(1, "test.sleep", seconds=600, ledger=str(ledger)), headers=AGAIN)
    eventually(lambda: asked(web, 1) == 3)
    rabbit.put(task(2))
    rabbit.outcome(2)
    assert second.stop() == 0
    assert rabbit.count(TASKS) == 0
    assert len(ledger.read_text().splitlines()) == 1
    assert said_gone(rabbit, 1) == []


def test_a_duplicate_is_run_when_the_web_changes_its_mind(rabbit: Rabbit, worker: Start, web: Web) -> None:
    first = worker()
    web.held, web.held_times = {(1, 1): name_of(first)}, 2
    rabbit.put(task(1), headers=AGAIN)
    assert rabbit.outcome(1)["status"] == "FINISHED"
    assert asked(web, 1) == 3


def test_what_a_worker_ran_that_is_gone_is_taken_over_once_that_is_recorded(
    rabbit: Rabbit, one_slot: Process, web: Web
) -> None:
    number = rabbit.number(1)
    web.held = {(number, 1): NOBODY}
    rabbit.put(task(1), headers=AGAIN)
    eventually(lambda: said_gone(rabbit, 1) == [NOBODY])
    eventually(lambda: asked(web, number) >= 6)  # longer than it would wait for one that is there
    assert {event["type"] for event in rabbit.events()} == {"VANISHED"}
    web.held.clear()
    assert rabbit.outcome(1)["status"] == "FINISHED"
    assert said_gone(rabbit, 1) == [NOBODY]


def test_a_killed_worker_is_named_to_the_web_as_gone(rabbit: Rabbit, worker: Start, web: Web, tmp_path: Path) -> None:
    first, second = worker(), worker()
    names = {name_of(first): first, name_of(second): second}
    ledger = tmp_path / "ledger"
    rabbit.put(task(1, "test.sleep_once", ledger=str(ledger)))
    eventually(lambda: rabbit.started(1) and ledger.exists())
    holder = next(each["worker"] for each in rabbit.events() if each["type"] == "STARTED")
    web.held = {(1, 1): holder}
    names[holder].kill()
    eventually(lambda: said_gone(rabbit, 1) == [holder])
    web.held.clear()
    assert rabbit.outcome(1)["worker"] != holder


def with_connections(rabbit: Rabbit, work: Callable[[Connection, Connection], Coroutine[Any, Any, None]]) -> None:
    async def main() -> None:
        addresses = parse_addresses(rabbit.broker.url("worker"))
        ours, theirs = await connect(addresses), await connect(addresses)
        await work(ours, theirs)
        await ours.close()
        await theirs.close()

    asyncio.run(main())


def test_the_broker_knows_which_workers_are_connected(rabbit: Rabbit) -> None:
    async def work(ours: Connection, theirs: Connection) -> None:
        for connection, name in ((ours, "ours"), (theirs, "theirs")):
            await (await connection.open_channel()).declare_seat(control_queue(name))
        presence = Presence(ours)
        assert not await presence.is_gone("ours")
        assert not await presence.is_gone("theirs")
        assert await presence.is_gone("nobody")
        await theirs.close()
        presence._connected_at -= OURS_IS_YOUNG_SECONDS
        assert await presence.is_gone("theirs")

    with_connections(rabbit, work)


def test_a_worker_that_comes_back_within_moments_is_not_gone(rabbit: Rabbit) -> None:
    async def work(ours: Connection, theirs: Connection) -> None:
        looking = asyncio.create_task(Presence(ours).is_gone("back"))
        await asyncio.sleep(0)
        await (await theirs.open_channel()).declare_seat(control_queue("back"))
        assert not await looking

    with_connections(rabbit, work)


def test_what_gets_lost_of_it_is_said_again(rabbit: Rabbit, web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(claim, "AGAIN_SECONDS", 0.2)
    web.held = {(1, 1): NOBODY}
    told: list[bytes] = []

    def tell(event: bytes) -> None:
        told.append(event)
        if len(told) == 3:
            web.held.clear()

    async def work(ours: Connection, _: Connection) -> None:
        presence = Presence(ours)
        presence._connected_at -= OURS_IS_YOUNG_SECONDS
        assert await claim.Claims(Endpoint(web.url, "token-of-worker"), "here", tell).may_run(1, 1, presence)

    with_connections(rabbit, work)
    assert told == [encode_event(Vanished(task=1, attempt=1, holder=NOBODY))] * 3
