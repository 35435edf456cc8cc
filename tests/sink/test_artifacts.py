"""Artifacts' chunks through the sink: each as it was sent, kept while the web is away, never in the way of outcomes."""

import json

from tests.fixtures.processes import eventually
from tests.sink.test_sink import batch, outcome, recorded
from tests.workers.fixtures import Start
from tests.workers.rig import Rabbit, Web, serving
from workers.artifacts import CHUNK_HEADER, Chunk, Label
from workers.broker import ARTIFACTS, BAD, OUTCOMES


def chunk(index: int, *, task: int = 1) -> Chunk:
    label = Label(name="größe.csv", content_type="text/csv")
    return Chunk(task=task, attempt=1, worker="w:1:a", run="r", ordinal=0, index=index, label=label)


def put(rabbit: Rabbit, *chunks: Chunk) -> None:
    for each in chunks:
        rabbit.put_bodies(ARTIFACTS, body_of(each), headers={CHUNK_HEADER: each.encode()})


def body_of(each: Chunk) -> bytes:
    return bytes([each.index, 0, 255]) * 1000


def refusal(code: str) -> tuple[int, bytes]:
    return 400, json.dumps({"errors": [{"message": "no", "extensions": {"code": code}}]}).encode()


def test_chunks_arrive_as_they_were_sent_and_are_acked(rabbit: Rabbit, start: Start, web: Web) -> None:
    put(rabbit, *map(chunk, range(3)))
    process = start("sink")
    eventually(lambda: len(web.chunks) == 3)
    assert web.chunks == [(each, body_of(each)) for each in map(chunk, range(3))]
    assert web.tokens == {"Bearer token-of-sink"}
    assert process.stop() == 0
    assert rabbit.count(ARTIFACTS) == 0


def test_a_chunk_is_sent_again_until_the_web_has_it(rabbit: Rabbit, start: Start, web: Web) -> None:
    web.chunk_failures = [(503, b"away"), (200, b"not json"), (200, b"{}"), (401, b"{}")]
    put(rabbit, chunk(0), chunk(1))
    process = start("sink")
    eventually(lambda: [each.index for each, _ in web.chunks] == [0, 1])
    assert web.chunk_attempts[:5] == [chunk(0).encode()] * 5
    eventually(lambda: "the web takes artifacts again" in process.output)
    assert process.stop() == 0
    assert rabbit.count(ARTIFACTS) == 0


def test_outcomes_pass_while_artifacts_wait(rabbit: Rabbit, start: Start, web: Web) -> None:
    web.chunk_failures = [(503, b"away")] * 1000
    put(rabbit, *map(chunk, range(20)))
    process = start("sink")
    eventually(lambda: web.chunk_attempts)
    rabbit.put_bodies(OUTCOMES, batch(outcome(7)))
    eventually(lambda: recorded(web) == [7])
    assert process.stop() == 0
    assert rabbit.count(ARTIFACTS) == 20


def test_what_the_web_refuses_is_parked_and_the_next_one_sent(rabbit: Rabbit, start: Start, web: Web) -> None:
    web.chunk_failures = [refusal("BAD_USER_INPUT")]
    put(rabbit, chunk(0), chunk(1))
    start("sink")
    eventually(lambda: [each.index for each, _ in web.chunks] == [1])
    eventually(lambda: rabbit.count(BAD) == 1)
    assert [body for body, _ in rabbit.take(BAD)] == [body_of(chunk(0))]


def test_one_at_which_the_web_stumbles_holds_up_no_other_and_is_kept(rabbit: Rabbit, start: Start, web: Web) -> None:
    web.chunk_failures = [(500, b"oops")] * 3
    put(rabbit, chunk(0), chunk(1))
    process = start("sink")
    eventually(lambda: [each.index for each, _ in web.chunks] == [1])
    assert "a chunk is set aside" in process.output
    assert process.stop() == 0
    assert rabbit.count(ARTIFACTS) == 1


def test_a_message_that_is_no_chunk_is_parked_unsent(rabbit: Rabbit, start: Start, web: Web) -> None:
    headers: list[dict[str, object]] = [{}, {CHUNK_HEADER: "{"}, {CHUNK_HEADER: 7}, {CHUNK_HEADER: '{"v":2}'}]
    for each in headers:
        rabbit.put_bodies(ARTIFACTS, b"body", headers=each)
    put(rabbit, chunk(0))
    start("sink")
    eventually(lambda: [each.index for each, _ in web.chunks] == [0])
    eventually(lambda: rabbit.count(BAD) == len(headers))
    assert web.chunk_attempts == [chunk(0).encode()]


def test_a_killed_sink_leaves_what_it_had_to_the_next_one(rabbit: Rabbit, start: Start, web: Web) -> None:
    web.chunk_failures = [(503, b"away")] * 2
    put(rabbit, *map(chunk, range(12)))
    first = start("sink")
    eventually(lambda: web.chunks)
    first.kill()
    with serving(web):
        start("sink")
        eventually(lambda: {each.index for each, _ in web.chunks} == set(range(12)))
    eventually(lambda: rabbit.count(ARTIFACTS) == 0)
