"""What tests of workers and sink need around them: RabbitMQ's queues, a small web that answers GraphQL, processes."""

import asyncio
import contextlib
import hashlib
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pika
from pika.exceptions import AMQPError, ChannelClosedByBroker

from tests.fixtures.broker import Broker
from tests.fixtures.processes import PATIENCE_SECONDS, Process, eventually
from tests.workers.line import line
from workers import tree
from workers.artifacts import CHUNK_HEADER, Chunk
from workers.broker import (
    ARTIFACTS,
    ARTIFACTS_EXCHANGE,
    ARTIFACTS_KEY,
    BAD,
    CONTROL_EXCHANGE,
    DEAD,
    OUTCOMES,
    BrokerLost,
    connect,
    declare_queue_of_tasks,
    declare_topology,
    parse_addresses,
    tasks_queue,
)
from workers.messages import Cancellation, Orders, TaskMessage
from workers.publisher import Message, Publisher, Verdict

TASKS = tasks_queue("default")
OTHERS = tasks_queue("others")
NAMES_ON_DISK_SECONDS = 1.5
MOST_NUMBERS = 100_000  # of one test that shares its worker
FEW = 3
CLOSE_WAIT = "08"
EXCHANGES = {OUTCOMES: (OUTCOMES, "outcomes"), ARTIFACTS: (ARTIFACTS_EXCHANGE, ARTIFACTS_KEY)}
Event = dict[str, Any]


class Rabbit:
    """The queues as the relay's login sees them, made anew for each test.

    Of a worker that several tests share each sees its own tasks alone, by numbers of its own: from `first` on, which
    it reads and writes as from 0 on.
    """

    def __init__(self, broker: Broker, first: int = 0) -> None:
        self.broker = broker
        self.batches: list[dict[str, Any]] = []
        self.sent: set[tuple[int, int]] = set()
        self._first = first
        self._own = range(first, first + MOST_NUMBERS) if first else range(2**63)
        self._line = line(broker)
        self._made_at = 0.0
        self._events: list[Event] = []
        self._chunks: list[tuple[Chunk, bytes]] = []

    def wait_for_names(self) -> None:
        """Before a restart of the broker: the names of new queues reach the disk late; see devstack.node."""
        time.sleep(max(0.0, self._made_at + NAMES_ON_DISK_SECONDS - time.monotonic()))

    def make_queues(self) -> None:
        try:
            self._make_queues()
        except (BrokerLost, AMQPError):
            # RabbitMQ 3.10 may keep a broken queue of a test that killed it while the queue was new.
            self.broker.start_empty()
            self._make_queues()

    def _make_queues(self) -> None:
        eventually(lambda: not _is_still_heard(self.broker.port))
        with self.opened() as channel:
            for queue in (TASKS, OTHERS):  # of which a worker that was killed a moment ago may hold some
                channel.queue_delete(queue)
        for queue in (OUTCOMES, ARTIFACTS, DEAD, BAD):  # a tenth of the cost of a new one
            with contextlib.suppress(ChannelClosedByBroker):  # a test has deleted it
                self._line.ask(partial(_purge, queue))
        self.declare()
        self._made_at = time.monotonic()

    def declare(self) -> None:
        """What is not there."""
        asyncio.run(self._declare())

    def cancel(self, *attempts: tuple[int, int]) -> None:
        """Tells every worker, as the relay does."""
        self._tell(Cancellation(attempts=[(self.number(task), attempt) for task, attempt in attempts]))

    def order(self, **orders: list[str]) -> None:
        """The same."""
        self._tell(Orders(**orders))

    def _tell(self, told: Cancellation | Orders) -> None:
        body = told.encode()
        self._line.ask(lambda channel: channel.basic_publish(CONTROL_EXCHANGE, "", body), confirms=True)

    @contextmanager
    def opened(self) -> Iterator[Any]:
        with self._line.opened() as channel:
            yield channel

    def number(self, task: int) -> int:
        """By which others know it."""
        return self._first + task

    def put(self, *messages: TaskMessage, headers: dict[str, Any] | None = None, queue: str = TASKS) -> None:
        numbered = [replace(message, task=self.number(message.task)) for message in messages]
        self.sent |= {(message.task, message.attempt) for message in messages}
        self.put_bodies(queue, *[message.encode() for message in numbered], headers=headers)

    def put_bodies(self, queue: str, *bodies: bytes, headers: dict[str, Any] | None = None) -> None:
        """With confirms: without, the end of a long batch may be lost when its connection is closed."""
        exchange, key = EXCHANGES.get(queue) or queue.rsplit(".", 1)
        if len(bodies) > FEW:  # of which each would wait for the confirm of the one before
            batch = [Message(exchange=exchange, routing_key=key, body=body, headers=headers) for body in bodies]
            assert asyncio.run(self._publish(batch)) == [Verdict.CONFIRMED] * len(batch)
            return
        properties = pika.BasicProperties(headers=headers, delivery_mode=pika.DeliveryMode.Persistent)
        for body in bodies:
            self._line.ask(partial(_publish_one, exchange, key, body, properties), confirms=True)

    def take(self, queue: str) -> list[tuple[bytes, dict[str, Any]]]:
        """All that is ready in a queue: bodies and headers."""
        taken: list[tuple[bytes, dict[str, Any]]] = []

        def take_all(channel: Any) -> None:
            while (got := channel.basic_get(queue, auto_ack=True))[0]:
                taken.append((got[2], got[1].headers or {}))

        self._line.ask(take_all)
        return taken

    def count(self, queue: str) -> int:
        return int(self._line.ask(lambda channel: channel.queue_declare(queue, passive=True)).method.message_count)

    def consumers(self, queue: str) -> int:
        return int(self._line.ask(lambda channel: channel.queue_declare(queue, passive=True)).method.consumer_count)

    def events(self) -> list[Event]:
        """Every event of its tasks that has arrived so far."""
        for batch in [json.loads(body) for body, _ in self.take(OUTCOMES)]:
            self.batches.append(batch)
            self._events += [
                {**event, "task": event["task"] - self._first, "worker": batch["worker"]}
                for event in batch["events"]
                if event["task"] in self._own
            ]
        return list(self._events)

    def chunks(self) -> list[tuple[Chunk, bytes]]:
        """Every chunk of an artifact of its tasks that has arrived so far."""
        for body, headers in self.take(ARTIFACTS):
            chunk = Chunk.decode(headers[CHUNK_HEADER])
            if chunk.task in self._own:
                self._chunks.append((replace(chunk, task=chunk.task - self._first), body))
        return self._chunks

    def artifacts(self, task: int) -> dict[str, bytes]:
        """The whole ones, by their names."""
        chunks = [(chunk, body) for chunk, body in self.chunks() if chunk.task == task]
        found = {}
        for last in [chunk for chunk, _ in chunks if chunk.is_last]:
            parts = {each.index: body for each, body in chunks if (each.run, each.ordinal) == (last.run, last.ordinal)}
            data = b"".join(parts[index] for index in range(last.index + 1))
            assert (len(data), hashlib.sha256(data).hexdigest()) == (last.size, last.sha256)
            found[last.label.name] = data
        return found

    def outcomes(self, count: int, timeout_seconds: float = PATIENCE_SECONDS) -> list[Event]:
        """Waits for so many outcomes; in the order in which they came."""
        eventually(lambda: len(self._outcomes()) >= count, timeout_seconds)
        return self._outcomes()

    def outcome(self, task: int) -> Event:
        eventually(lambda: any(each["task"] == task for each in self._outcomes()))
        return next(each for each in self._outcomes() if each["task"] == task)

    def started(self, task: int) -> bool:
        return any(each["type"] == "STARTED" and each["task"] == task for each in self.events())

    def heartbeats(self) -> list[dict[str, Any]]:
        self.events()
        return [batch["heartbeat"] for batch in self.batches if "heartbeat" in batch]

    def _outcomes(self) -> list[Event]:
        return [each for each in self.events() if each["type"] == "OUTCOME"]

    async def _publish(self, batch: list[Message]) -> list[Verdict]:
        publisher = Publisher(parse_addresses(self.broker.url("relay")))
        running = asyncio.create_task(publisher.run())
        await publisher.ready()
        verdicts = await publisher.publish(batch)
        running.cancel()
        await asyncio.wait([running])
        return verdicts

    async def _declare(self) -> None:
        connection = await connect(parse_addresses(self.broker.url("relay")))
        channel = await connection.open_channel()
        await declare_topology(channel)
        for queue in ("default", "others"):
            await declare_queue_of_tasks(channel, queue)
        await connection.close()


def _is_still_heard(port: int) -> bool:
    """Whether the broker has yet to read what a killed process has sent it: its end of the connection is not closed."""
    connections = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return any(local.endswith(f":{port:04X}") and state == CLOSE_WAIT for _, local, _, state, *_ in connections)


def _purge(queue: str, channel: Any) -> None:
    channel.queue_purge(queue)


def _publish_one(exchange: str, key: str, body: bytes, properties: pika.BasicProperties, channel: Any) -> None:
    channel.basic_publish(exchange, key, body, properties, mandatory=True)


@dataclass
class Web:
    """A real HTTP server that answers the two mutations, the one query and chunks; what it is to answer can be set."""

    claim_verdict: str = "RUN"
    held: dict[tuple[int, int], str] = field(default_factory=dict)  # by whom
    held_times: int = 1_000_000  # so often it says so
    cancelled: list[tuple[int, int]] | None = field(default_factory=list)  # None: it does not answer the query
    paused: list[str] = field(default_factory=list)
    questions: int = 0  # about what is cancelled and paused
    failures: list[tuple[int, bytes]] = field(default_factory=list)  # answered first, one per request
    delay_seconds: float = 0
    claims: list[dict[str, Any]] = field(default_factory=list)
    recorded: list[list[dict[str, Any]]] = field(default_factory=list)  # the batches of each answered mutation
    attempts: list[bytes] = field(default_factory=list)  # every body received
    tokens: set[str] = field(default_factory=set)
    chunks: list[tuple[Chunk, bytes]] = field(default_factory=list)
    chunk_attempts: list[str] = field(default_factory=list)
    chunk_failures: list[tuple[int, bytes]] = field(default_factory=list)
    url: str = ""

    def forget(self) -> None:
        """As it was when it was new."""
        vars(self).update(vars(Web(url=self.url)))

    def events(self) -> list[Event]:
        return [event for batches in self.recorded for batch in batches for event in batch["events"]]

    def answer(self, body: bytes) -> tuple[int, bytes]:
        question = json.loads(body)
        if "variables" not in question:
            return self._answer_cancelled()
        self.attempts.append(body)
        if self.failures:
            return self.failures.pop(0)
        time.sleep(self.delay_seconds)
        given = question["variables"]["input"]
        if "batches" not in given:
            self.claims.append(given)
            return 200, json.dumps({"data": {"claimTask": self._claimed(given)}}).encode()
        self.recorded.append(given["batches"])
        events = [event for batch in given["batches"] for event in batch["events"]]
        verdicts = ["INVALID" if event.get("type") == "NONSENSE" else "APPLIED" for event in events]
        return 200, json.dumps({"data": {"recordEvents": {"verdicts": verdicts, "userErrors": []}}}).encode()

    def answer_chunk(self, chunk: str, body: bytes) -> tuple[int, bytes]:
        self.chunk_attempts.append(chunk)
        if self.chunk_failures:
            return self.chunk_failures.pop(0)
        self.chunks.append((Chunk.decode(chunk), body))
        return 200, b'{"data":{"verdict":"STORED"}}'

    def _claimed(self, given: dict[str, Any]) -> dict[str, str | None]:
        key = given["task"], given["attempt"]
        if key in self.held and self.held_times:
            self.held_times -= 1
            return {"verdict": "HELD", "holder": self.held[key]}
        return {"verdict": self.claim_verdict, "holder": None}

    def _answer_cancelled(self) -> tuple[int, bytes]:
        self.questions += 1
        if self.cancelled is None:
            return 503, b"away"
        attempts = [{"task": task, "attempt": attempt} for task, attempt in self.cancelled]
        return 200, json.dumps({"data": {"cancelledAttempts": attempts, "pausedQueues": self.paused}}).encode()


@contextmanager
def serving(web: Web, port: int = 0) -> Iterator[Web]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            web.tokens.add(self.headers["Authorization"])
            body = self.rfile.read(int(self.headers["Content-Length"]))
            chunk = self.headers.get(CHUNK_HEADER)
            status, answer = web.answer_chunk(chunk, body) if chunk is not None else web.answer(body)
            self.send_response(status)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    server.daemon_threads = True
    web.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield web
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def task(
    number: int, kind: str = "demo.noop", *, attempt: int = 1, limit: float | None = None, **params: Any
) -> TaskMessage:
    return TaskMessage(task=number, attempt=attempt, kind=kind, params=params, timeout_seconds=limit)


def is_alive(pid: int) -> bool:
    """A zombie is not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def children_of(pid: int) -> list[int]:
    """All processes below it, parents first."""
    return [each.pid for each in tree.below(pid)]


def template_of(worker: Process) -> int:
    """Of the handlers. The worker started it first; its number is not the lowest when the system began anew."""
    pid = worker.child.pid
    return min((each.pid for each in tree.below(pid) if each.parent == pid), key=_started_at)


def _started_at(pid: int) -> int:
    """In ticks of the system's clock."""
    return int(Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[19])


def ready(process: Process) -> Process:
    eventually(lambda: "runs " in process.output)
    return process
