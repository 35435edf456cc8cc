"""The sink on a real broker, in front of a real HTTP server that fails as a web may fail."""

import asyncio
import json
from collections.abc import Callable
from typing import Any, cast

from sink.batch import Arrived
from sink.client import Client
from sink.consumer import READ, Consumer
from tests.fixtures.processes import eventually
from tests.workers.fixtures import Start
from tests.workers.rig import Rabbit, Web, serving, task
from workers.broker import BAD, DEAD, OUTCOMES, BrokerLost, Channel, Connection, Delivery
from workers.endpoint import EndpointError
from workers.messages import Event, EventBatch, Heartbeat, Outcome, Returned, Started
from workers.publisher import Publisher
from workers.settling import Settling


def outcome(task: int, value: str | None = None, result: str | None = None) -> Outcome:
    return Outcome(task=task, attempt=1, status="FINISHED", run_seconds=0.5, value=value, result=result)


def batch(*events: Event) -> bytes:
    return EventBatch(worker="w:1:a", events=list(events)).encode()


def recorded(web: Web) -> list[int]:
    return [event["task"] for event in web.events() if "task" in event]


def unacked_and_ready(rabbit: Rabbit) -> int:
    """After the sink has ended: everything that it has not acked is ready again."""
    return rabbit.count(OUTCOMES)


def test_events_arrive_as_they_were_sent_and_are_acked(rabbit: Rabbit, start: Start, web: Web) -> None:
    heartbeat = Heartbeat(host="h", pid=1, queues=["default"], concurrency=1, running=[])
    bodies = [
        batch(Started(task=1, attempt=1), outcome(1, value="nan"), outcome(2, result='{"a":"ü\\u0001"}')),
        EventBatch(worker="w:1:a", heartbeat=heartbeat).encode(),
    ]
    rabbit.put_bodies(OUTCOMES, *bodies)
    process = start("sink")
    eventually(lambda: len([each for batches in web.recorded for each in batches]) == 2)
    assert [each for batches in web.recorded for each in batches] == [json.loads(body) for body in bodies]
    assert web.tokens == {"Bearer token-of-sink"}
    assert process.stop() == 0
    assert unacked_and_ready(rabbit) == 0


def test_what_arrives_during_a_request_goes_into_the_next_one(rabbit: Rabbit, start: Start, web: Web) -> None:
    web.delay_seconds = 0.2
    start("sink")
    eventually(lambda: web.recorded)
    rabbit.put_bodies(OUTCOMES, *[batch(outcome(task)) for task in range(1, 151)])
    eventually(lambda: len(web.events()) == 150)
    assert recorded(web) == list(range(1, 151))
    assert len([batches for batches in web.recorded if batches]) <= 8


def test_a_request_has_at_most_500_events(rabbit: Rabbit, start: Start, web: Web) -> None:
    for first in range(1, 2001, 100):
        rabbit.put_bodies(OUTCOMES, batch(*[outcome(task) for task in range(first, first + 100)]))
    start("sink")
    eventually(lambda: len(web.events()) == 2000)
    sizes = [sum(len(each["events"]) for each in batches) for batches in web.recorded]
    assert max(sizes) == 500


def test_a_failed_request_is_sent_again_with_the_same_batch(rabbit: Rabbit, start: Start, web: Web) -> None:
    failures = [
        (500, b"oops"),
        (503, b'{"data":{}}'),
        (200, b'{"errors":[{"message":"database is locked"}],"data":null}'),
        (200, b'{"data":{"recordEvents":{"verdicts":["APPLIED"],"userErrors":[]}}}'),
        (200, b'{"data":{"recordEvents":null}}'),
        (200, b"not json"),
    ]
    rabbit.put_bodies(OUTCOMES, *[batch(outcome(task)) for task in (1, 2)])
    web.failures = list(failures)
    process = start("sink")
    eventually(lambda: recorded(web) == [1, 2])
    assert len(set(web.attempts[: len(failures) + 1])) == 1
    assert process.output.count("database is locked") == 1
    eventually(lambda: "the web records outcomes again" in process.output)
    assert process.stop() == 0
    assert unacked_and_ready(rabbit) == 0


def test_a_refused_token_is_said_in_one_line_and_nothing_is_lost(rabbit: Rabbit, start: Start, web: Web) -> None:
    web.failures = [(401, b'{"errors":[]}')] * 1000
    rabbit.put_bodies(OUTCOMES, batch(outcome(1)))
    process = start("sink")
    eventually(lambda: "refuses the token (HTTP 401)" in process.output)
    assert "token-of-sink" not in process.output
    process.stop()
    assert unacked_and_ready(rabbit) == 1


def test_the_sink_waits_for_a_web_that_is_away(rabbit: Rabbit, start: Start) -> None:
    with serving(Web()) as away:
        url, port = away.url, int(away.url.rsplit(":", 1)[1])
    rabbit.put_bodies(OUTCOMES, batch(outcome(1)))
    process = start("sink", MILLRACE_URL=url)
    eventually(lambda: "outcomes wait in RabbitMQ" in process.output)
    assert "connection refused" in process.output
    with serving(Web(), port) as back:
        eventually(lambda: recorded(back) == [1])


def test_undecodable_messages_and_invalid_events_are_parked(rabbit: Rabbit, start: Start, web: Web) -> None:
    task_message = b'{"v":1,"task":1,"attempt":1,"kind":"demo.noop","params":{}}'
    undecodable = [b"", b"\xff", '{"v":1,"worker":"w","events":[]}'.encode("utf-16"), b"[]", task_message, b'{"v":2}']
    nonsense = {"type": "NONSENSE", "why": "not an event"}
    mixed = {"v": 1, "worker": "w", "events": [nonsense, json.loads(batch(outcome(7)))["events"][0]]}
    too_many = batch(*[Started(task=task, attempt=1) for task in range(1, 502)])
    rabbit.put_bodies(OUTCOMES, *undecodable, json.dumps(mixed).encode(), too_many, batch(outcome(8)))
    process = start("sink")
    eventually(lambda: rabbit.count(BAD) == len(undecodable) + 2)
    parked = dict(rabbit.take(BAD))
    assert set(undecodable) | {too_many} < set(parked)
    assert all(headers["x-why"] and headers["x-source"] == OUTCOMES for headers in parked.values())
    assert [json.loads(body)["events"] for body in set(parked) - set(undecodable) - {too_many}] == [[nonsense]]
    eventually(lambda: 8 in recorded(web))
    assert process.stop() == 0
    assert unacked_and_ready(rabbit) == 0


def poisoned(web: Web, task: int, status: int, answer: bytes) -> None:
    """From now on the web cannot take a request with an outcome of this task."""
    record = web.answer

    def take(body: bytes) -> tuple[int, bytes]:
        if f'"task":{task},'.encode() in body:
            web.attempts.append(body)
            return status, answer
        return record(body)

    web.answer = take  # type: ignore[method-assign]


def test_a_message_that_the_web_refuses_is_parked_and_holds_up_no_other(rabbit: Rabbit, start: Start, web: Web) -> None:
    poisoned(web, 13, 400, b'{"errors":[{"message":"nested too deeply","extensions":{"code":"BAD_USER_INPUT"}}]}')
    rabbit.put_bodies(OUTCOMES, *[batch(outcome(task)) for task in range(1, 31)])
    process = start("sink")
    eventually(lambda: sorted(recorded(web)) == [task for task in range(1, 31) if task != 13])
    [(body, headers)] = rabbit.take(BAD)
    assert json.loads(body)["events"][0]["task"] == 13
    assert "nested too deeply" in headers["x-why"]
    assert process.stop() == 0
    assert unacked_and_ready(rabbit) == 0


def test_a_message_at_which_the_web_stumbles_waits_aside_and_holds_up_no_other(
    rabbit: Rabbit, start: Start, web: Web
) -> None:
    answer = b'{"errors":[{"message":"our fault, number 12ab","extensions":{"code":"INTERNAL"}}]}'
    poisoned(web, 3, 500, answer)
    rabbit.put_bodies(OUTCOMES, *[batch(outcome(task)) for task in range(1, 5)])
    process = start("sink")
    eventually(lambda: sorted(recorded(web)) == [1, 2, 4])
    rabbit.put_bodies(OUTCOMES, batch(outcome(5)))
    eventually(lambda: 5 in recorded(web))
    eventually(lambda: "a message is set aside" in process.output)
    assert process.stop() == 0
    assert rabbit.count(BAD) == 0
    assert unacked_and_ready(rabbit) == 1


def test_what_is_set_aside_is_taken_up_again_unless_its_connection_was_lost() -> None:
    arrived = Arrived.outcomes(Delivery(cast("Channel", None), "", 1, False, {}, batch(outcome(1))))
    consumer = Consumer([], cast("Client", None), cast("Publisher", None))
    lost, current = (Settling(cast("Channel", None)) for _ in range(2))
    consumer._settling = current
    consumer._again(lost, arrived)  # its tag is another message's on the new channel
    assert not consumer._arrived
    consumer._again(current, arrived)
    assert list(consumer._arrived) == [arrived]


class Line:
    """Stands for a connection and its channel, until it is `gone`."""

    def __init__(self) -> None:
        self.gone: asyncio.Future[BrokerLost] = asyncio.get_running_loop().create_future()
        self.take: dict[str, Callable[[Delivery], None]] = {}

    async def open_channel(self) -> "Line":
        return self

    async def consume(self, queue: str, take: Callable[[Delivery], None], *, prefetch: int) -> None:  # noqa: ARG002
        self.take[queue] = take

    def ack(self, tag: int, *, multiple: bool = False) -> None:
        pass

    def bring(self, *events: Event) -> None:
        for tag, event in enumerate(events, 1):
            self.take[OUTCOMES](Delivery(cast("Channel", self), "", tag, False, {}, batch(event)))


class HangingOnce:
    """Stands for the web, which does not answer the first request until `answers`, and then that it failed."""

    def __init__(self) -> None:
        self.answers = asyncio.Event()
        self.asked = 0
        self.recorded: list[str] = []

    async def record(self, bodies: list[bytes], event_count: int) -> list[str]:
        if not bodies:
            return []
        self.asked += 1
        if self.asked == 1:
            await self.answers.wait()
            raise EndpointError("it failed")
        self.recorded += [event["type"] for body in bodies for event in json.loads(body)["events"]]
        return ["APPLIED"] * event_count


def test_what_came_by_a_lost_connection_is_not_sent_again_after_what_follows_it() -> None:
    async def main() -> None:
        web, first, second = HangingOnce(), Line(), Line()
        consumer = Consumer([], cast("Client", web), cast("Publisher", None))
        serving: list[asyncio.Task[Any]] = [asyncio.create_task(consumer._serve(cast("Connection", first)))]
        await until(lambda: first.take)
        first.bring(Started(task=1, attempt=1))
        await until(lambda: web.asked)
        first.gone.set_result(BrokerLost("cut off"))
        await serving[0]
        serving.append(asyncio.create_task(consumer._serve(cast("Connection", second))))
        asyncio.get_running_loop().call_later(1, web.answers.set)
        await until(lambda: len(second.take) == len(READ))
        second.bring(Started(task=1, attempt=1), Returned(task=1, attempt=1))
        await until(lambda: "RETURNED" in web.recorded)
        await web.answers.wait()
        await asyncio.sleep(0.3)  # in which it would be sent again
        assert web.recorded == ["STARTED", "RETURNED"]
        second.gone.set_result(BrokerLost("cut off"))
        await serving[1]

    asyncio.run(main())


async def until(true: Callable[[], object]) -> None:
    while not true():
        await asyncio.sleep(0.01)


def test_no_canary_comes_home_past_a_message_that_is_set_aside(rabbit: Rabbit, start: Start, web: Web) -> None:
    poisoned(web, 3, 500, b'{"errors":[{"message":"our fault","extensions":{"code":"INTERNAL"}}]}')
    canaries = [EventBatch(worker="millrace.relay", canary=seconds).encode() for seconds in (1.0, 2.0)]
    rabbit.put_bodies(OUTCOMES, canaries[0], batch(outcome(3)), canaries[1], batch(outcome(4)))
    process = start("sink")
    eventually(lambda: recorded(web) == [4])
    rabbit.put_bodies(OUTCOMES, canaries[1], batch(outcome(5)))
    eventually(lambda: recorded(web) == [4, 5])
    assert {each["canary"] for batches in web.recorded for each in batches if "canary" in each} == {1.0}
    assert process.stop() == 0
    assert unacked_and_ready(rabbit) == 1


def test_what_the_broker_gave_up_is_told_as_undeliverable(rabbit: Rabbit, start: Start, web: Web) -> None:
    rabbit.put(task(1), task(2, attempt=3), queue=f"{DEAD}.default")
    rabbit.put_bodies(f"{DEAD}.default", b"no task")
    process = start("sink")
    eventually(lambda: len(web.events()) == 2)
    assert web.events() == [
        {"type": "UNDELIVERABLE", "task": 1, "attempt": 1},
        {"type": "UNDELIVERABLE", "task": 2, "attempt": 3},
    ]
    assert {each["worker"] for batches in web.recorded for each in batches} == {DEAD}
    eventually(lambda: rabbit.count(BAD) == 1)
    [(body, headers)] = rabbit.take(BAD)
    assert (body, headers["x-source"]) == (b"no task", DEAD)
    assert process.stop() == 0
    assert rabbit.count(DEAD) == 0


def test_a_dead_letter_stays_until_the_web_has_taken_it(rabbit: Rabbit, start: Start, web: Web) -> None:
    web.failures = [(503, b"")] * 1000
    rabbit.put(task(1), queue=f"{DEAD}.default")
    process = start("sink")
    eventually(lambda: any(b"UNDELIVERABLE" in body for body in web.attempts))
    process.kill()
    eventually(lambda: rabbit.count(DEAD) == 1)


def test_an_idle_sink_gives_signs_of_life(rabbit: Rabbit, start: Start, web: Web) -> None:
    start("sink")
    eventually(lambda: len(web.recorded) >= 2)
    assert web.recorded[:2] == [[], []]


def test_a_sink_killed_before_the_answer_leaves_the_events_for_the_next(rabbit: Rabbit, start: Start, web: Web) -> None:
    web.delay_seconds = 60
    rabbit.put_bodies(OUTCOMES, batch(outcome(1)))
    first = start("sink")
    eventually(lambda: any(b"OUTCOME" in body for body in web.attempts))
    first.kill()
    with serving(Web()) as other:
        start("sink", MILLRACE_URL=other.url)
        eventually(lambda: recorded(other) == [1])


def test_sigterm_finishes_the_request_on_its_way(rabbit: Rabbit, start: Start, web: Web) -> None:
    process = start("sink")
    eventually(lambda: web.recorded)
    web.delay_seconds = 1
    rabbit.put_bodies(OUTCOMES, batch(outcome(1)))
    eventually(lambda: any(b"OUTCOME" in body for body in web.attempts))
    assert process.stop() == 0
    assert recorded(web) == [1]
    assert unacked_and_ready(rabbit) == 0


def test_sigterm_does_not_wait_for_a_web_that_hangs(rabbit: Rabbit, start: Start, web: Web) -> None:
    process = start("sink")
    eventually(lambda: web.recorded)
    web.delay_seconds = 60
    rabbit.put_bodies(OUTCOMES, batch(outcome(1)))
    eventually(lambda: any(b"OUTCOME" in body for body in web.attempts))
    assert process.stop() == 0
    assert unacked_and_ready(rabbit) == 1


def test_a_broker_restart_loses_and_repeats_nothing_unanswered(rabbit: Rabbit, start: Start, web: Web) -> None:
    process = start("sink")
    eventually(lambda: web.recorded)
    rabbit.wait_for_names()
    rabbit.broker.restart()
    rabbit.put_bodies(OUTCOMES, *[batch(outcome(task)) for task in range(1, 20)])
    eventually(lambda: recorded(web) == list(range(1, 20)))
    assert process.child.poll() is None


def test_a_missing_queue_is_waited_for(rabbit: Rabbit, start: Start, web: Web) -> None:
    with rabbit.opened() as channel:
        channel.queue_delete(OUTCOMES)
    process = start("sink")
    eventually(lambda: "millrace.outcomes is not there yet; the relay makes it" in process.output)
    rabbit.make_queues()
    rabbit.put_bodies(OUTCOMES, batch(outcome(1)))
    eventually(lambda: recorded(web) == [1])
