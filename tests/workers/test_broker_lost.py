"""The broker is killed once, under workers and a publisher that are all busy; what becomes of each."""

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.fixtures.broker import Broker
from tests.fixtures.processes import Process, eventually
from tests.workers.fixtures import ODD, started
from tests.workers.odd_handlers import made_of
from tests.workers.rig import OTHERS, TASKS, Rabbit, Web, ready, serving, task
from tests.workers.test_publisher import with_publisher
from workers.broker import BAD, BAD_EXCHANGE, BAD_KEY
from workers.publisher import Message, Publisher, Verdict

SLEEPS, ARTIFACT, SHORT = 1, 2, range(3, 30)
CANCELLED, AFTER = 30, 31  # put when the broker is back
LATE = 32  # on the other queue
BYTES = 9_000_000


@dataclass
class Story:
    """`busy`: a worker with two slots. `late`: one on the other queue, started while the broker was away.

    `confirmed`: how many messages the publisher was told to be safe.
    """

    rabbit: Rabbit
    busy: Process
    late: Process
    ledger: Path
    confirmed: int

    def outcomes(self, *tasks: int) -> set[int]:
        """Waits for those; all that there are."""
        eventually(lambda: self._outcomes() >= set(tasks))
        return self._outcomes()

    def _outcomes(self) -> set[int]:
        return {each["task"] for each in self.rabbit.events() if each["type"] == "OUTCOME"}


@pytest.fixture(scope="module")
def story(broker: Broker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    rabbit, ledger = Rabbit(broker), tmp_path_factory.mktemp("story") / "ledger"
    rabbit.make_queues()
    with ExitStack() as running:
        webs = [running.enter_context(serving(Web())) for _ in range(2)]

        def worker(web: Web, *options: str) -> Process:
            given = {"MILLRACE_HANDLERS": ODD, "MILLRACE_URL": web.url}
            return running.enter_context(started(broker, "workers", *options, **given))

        async def across(publisher: Publisher) -> tuple[int, Process]:
            pending = [asyncio.create_task(publisher.publish([_message()] * 500)) for _ in range(10)]
            await pending[0]
            broker.kill()
            webs[0].cancelled = [(CANCELLED, 1)]
            late = worker(webs[1], "--queues", "others")
            eventually(lambda: "waiting for RabbitMQ at 127.0.0.1" in late.output)
            broker.start()
            answers = await asyncio.gather(*pending)
            while answers[-1] != [Verdict.CONFIRMED]:
                await publisher.ready()
                answers.append(await publisher.publish([_message()]))
            return sum(answer.count(Verdict.CONFIRMED) for answer in answers), late

        busy = ready(worker(webs[0], "--concurrency", "2"))
        rabbit.put(task(SLEEPS, "test.sleep", seconds=4, ledger=str(ledger)))
        rabbit.put(task(ARTIFACT, "test.artifacts", sizes=[BYTES]), *map(task, SHORT))
        eventually(lambda: rabbit.started(SLEEPS) and rabbit.chunks())
        rabbit.wait_for_names()
        assert webs[0].questions == 1
        confirmed, late = with_publisher(rabbit, across, patience_seconds=180)
        eventually(lambda: webs[0].questions == 2)
        rabbit.declare()  # what is not there, as the relay does when the broker is back
        rabbit.put(task(CANCELLED), task(AFTER))
        rabbit.put(task(LATE), queue=OTHERS)
        yield Story(rabbit, busy, late, ledger, confirmed)


def _message() -> Message:
    return Message(exchange=BAD_EXCHANGE, routing_key=BAD_KEY, body=b"x")


def test_what_a_publisher_was_confirmed_is_there(story: Story) -> None:
    assert story.confirmed > 0
    assert story.rabbit.count(BAD) >= story.confirmed


def test_an_artifact_on_its_way_arrives_whole(story: Story) -> None:
    assert story.rabbit.outcome(ARTIFACT)["status"] == "FINISHED"
    assert story.rabbit.artifacts(ARTIFACT) == {f"{BYTES}.bin": made_of(BYTES)}


def test_a_task_in_the_middle_of_it_runs_once_and_nothing_is_lost(story: Story) -> None:
    story.outcomes(SLEEPS, ARTIFACT, *SHORT)
    assert len(story.ledger.read_text().splitlines()) == 1


def test_a_worker_started_first_waits_for_the_broker(story: Story) -> None:
    story.outcomes(LATE)
    assert story.late.output.count("waiting for RabbitMQ") == 1


def test_a_worker_asks_again_what_is_cancelled_and_settles_all(story: Story) -> None:
    assert CANCELLED not in story.outcomes(SLEEPS, ARTIFACT, *SHORT, AFTER)
    if story.busy.child.poll() is None:
        assert story.busy.stop() == 0
    eventually(lambda: story.rabbit.count(TASKS) == 0)
    assert CANCELLED not in story.outcomes()
