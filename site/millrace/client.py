"""The door to one server: creates tasks, finds them, tells of workers and queues."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from millrace import documents, settings
from millrace.errors import NotFound, Problem, Refused
from millrace.rows import Counts, Kind, Queue, Worker
from millrace.tasks import Task, problem_of
from millrace.transport import Transport, encoded

if TYPE_CHECKING:
    from datetime import datetime

AT_ONCE, BYTES_AT_ONCE = 1_000, 900_000  # the API's limits: so many tasks, 1 MiB
PAGE = 100
# The search's words, and where GraphQL has another name that one too.
ORDERS: Final = {
    "created": "CREATED_AT", "started": "STARTED_AT", "finished": "FINISHED_AT", "ran": "RUN_SECONDS",
    "name": "NAME", "kind": "KIND", "status": "STATUS", "value": "VALUE", "priority": "PRIORITY",
    "queue": "QUEUE", "worker": "WORKER",
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Options:
    """How a task is to be run, apart from its parameters; what is left out is as its kind has it.

    `name`: as it stands in the table, the kind unless told. `priority`: -100 to 100, the higher goes first.
    `idempotency_key`: asked for twice under the same key it is one task; the client makes one unless told.
    """

    name: str | None = None
    queue: str | None = None
    priority: int | None = None
    run_after: datetime | None = None
    delay_seconds: float | None = None
    timeout_seconds: float | None = None
    max_attempts: int | None = None
    idempotency_key: str | None = None


@dataclass(frozen=True, kw_only=True)
class Changes:
    """What has changed since a `cursor`: tasks as they are now, and the numbers of those deleted."""

    tasks: list[Task]
    deleted: list[int]
    cursor: str
    more: bool


@dataclass(frozen=True, kw_only=True)
class Overview:
    """All at one moment. `running`: at most 50, the last begun first; `failed`: the newest five."""

    counts: Counts
    queues: list[Queue]
    workers: list[Worker]
    running: list[Task]
    failed: list[Task]


class Client:
    """`url` and `token` are taken from MILLRACE_URL and MILLRACE_API_TOKEN, or ~/.config/millrace/token, unless given.

    `timeout`: seconds for one answer. `patience`: for how many seconds a question is asked again while the server is
    away, and a creation, which has a key and so counts once; anything else is sent once. Good for several threads.
    """

    def __init__(
        self, url: str | None = None, token: str | None = None, *, timeout: float = 30, patience: float = 20
    ) -> None:
        """Raises Misconfigured; asks nothing yet."""
        self._transport = Transport(settings.url(url), settings.token(token), timeout, patience)

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def close(self) -> None:
        """This thread's connection; asking opens another."""
        self._transport.close()

    @property
    def url(self) -> str:
        return self._transport.url

    def create(self, kind: str, options: Options | None = None, /, **params: Any) -> Task:
        """A task of this kind with these parameters: `create("report.monthly", Options(priority=5), month="2026-10")`.

        Raises Refused with what is wrong.
        """
        options = options or Options()
        key = options.idempotency_key or str(uuid4())
        return self._created([_input(kind, options, params, key)], skip=1)[0]

    def create_many(
        self, kind: str, params: Iterable[Mapping[str, Any]], options: Options | None = None, /
    ) -> list[Task]:
        """A task for each of these parameters, in batches of which each is saved whole or not at all.

        All are looked at before the first is sent: raises Refused for what JSON cannot hold. Whatever ends it, Ctrl-C
        too, has in `created` those of earlier batches. With an `idempotency_key` the nth task's key is that and its
        place: called again with the same, it makes only what is missing.
        """
        options = options or Options()
        key = options.idempotency_key or str(uuid4())
        inputs = (_input(kind, options, each, f"{key}-{nth}") for nth, each in enumerate(params))
        made: list[Task] = []
        try:
            for batch in list(_batches(inputs)):
                made += self._created(batch)
        except Refused as refused:
            moved = Refused([_moved(problem, len(made)) for problem in refused.problems])
            moved.created = made
            raise moved from None
        except BaseException as error:
            error.created = made  # type: ignore[attr-defined] # they exist, whatever it is
            raise
        return made

    def task(self, number: int) -> Task:
        """Raises NotFound."""
        data = self._ask(documents.TASK, id=str(number))["task"]
        if data is None:
            raise NotFound(f"there is no task {number}")
        return Task(self._transport, data)

    def several(self, numbers: Iterable[int]) -> list[Task]:
        """In this order. Raises NotFound for the first that is not there."""
        wanted = list(numbers)
        found: dict[int, Task] = {}
        for at in range(0, len(wanted), PAGE):
            ids = [str(number) for number in wanted[at : at + PAGE]]
            nodes = self._ask(documents.OUTCOMES, ids=ids)["tasks"]["nodes"]
            found |= {node["number"]: Task(self._transport, node) for node in nodes}
        if (missing := next((number for number in wanted if number not in found), None)) is not None:
            raise NotFound(f"there is no task {missing}")
        return [found[number] for number in wanted]

    def tasks(self, query: str = "", *, order: str = "-created_at") -> Iterator[Task]:
        """All that this search finds, page after page: `tasks("status:FAILED kind:fit")`.

        `order`: created, started, finished, ran, name, kind, status, value or priority, or GraphQL's name for it such
        as run_seconds, with a minus for the largest first. Raises Refused when one of them cannot be understood.
        """
        by = {"field": order_field(order), "direction": "DESC" if order.startswith("-") else "ASC"}
        after = None
        while True:
            page = self._ask(documents.TASKS, query=query, orderBy=by, first=PAGE, after=after)["tasks"]
            for node in page["nodes"]:
                yield Task(self._transport, node)
            if not page["pageInfo"]["hasNextPage"]:
                return
            after = page["pageInfo"]["endCursor"]

    def counts(self, query: str = "") -> Counts:
        """How many of what this search finds are in each status."""
        return Counts(**self._ask(documents.COUNTS, query=query)["taskCounts"])

    def changes(self, cursor: str | None = None, *, first: int = 200, from_now: bool = False) -> Changes:
        """What has changed since the `cursor` of the last call, in order; without one all tasks come first.

        `from_now`: without a cursor, leave out what there is already. Raises Refused with the code CURSOR_EXPIRED when
        the cursor is older than 2 days: begin again without.
        """
        data = self._ask(documents.CHANGES, after=cursor, first=first, fromNow=from_now)["taskChanges"]
        return Changes(
            tasks=[Task(self._transport, each) for each in data["tasks"]],
            deleted=[int(b64decode(each).decode().partition(":")[2]) for each in data["deletedIds"]],
            cursor=data["cursor"],
            more=data["more"],
        )

    def kinds(self) -> list[Kind]:
        """What can be created, by name."""
        return [Kind.of(each) for each in self._ask(documents.KINDS)["kinds"]]

    def workers(self) -> list[Worker]:
        """Those connected, and those that went silent within the last hour."""
        return [Worker.of(each) for each in self._ask(documents.WORKERS)["workers"]]

    def queues(self) -> list[Queue]:
        return [Queue.of(each) for each in self._ask(documents.QUEUES)["queues"]]

    def overview(self) -> Overview:
        """Counts, queues, workers, what runs and what has failed last, in one question."""
        data = self._ask(documents.OVERVIEW)
        return Overview(
            counts=Counts(**data["taskCounts"]),
            queues=[Queue.of(each) for each in data["queues"]],
            workers=[Worker.of(each) for each in data["workers"]],
            running=[Task(self._transport, each) for each in data["running"]["nodes"]],
            failed=[Task(self._transport, each) for each in data["failed"]["nodes"]],
        )

    def _ask(self, document: str, **variables: Any) -> dict[str, Any]:
        return self._transport.ask(document, variables, safe=True)

    def _created(self, inputs: list[dict[str, Any]], skip: int = 0) -> list[Task]:
        """`skip`: 1 for a single one, whose mistakes need no index."""
        # Each has a key: sent again, it is the same task.
        payload = self._transport.ask(documents.CREATE, {"input": inputs}, safe=True)["createTasks"]
        if payload["userErrors"]:
            raise problem_of(payload["userErrors"], skip)
        return [Task(self._transport, each) for each in payload["tasks"]]


def order_field(order: str) -> str:
    """GraphQL's name of it. Raises Refused with the names that there are."""
    name = order.removeprefix("-")
    field = ORDERS.get(name.lower(), name.upper())
    if field not in ORDERS.values():
        known = ", ".join(ORDERS)
        message = f"there is no order {name!r:.40}; there are {known}, and each with a minus for the largest first"
        raise Refused([Problem((), message, "INVALID")])
    return field


def _input(kind: str, options: Options, params: Mapping[str, Any], key: str) -> dict[str, Any]:
    how = {
        "queue": options.queue,
        "priority": options.priority,
        "runAfter": options.run_after and options.run_after.isoformat(),
        "delaySeconds": options.delay_seconds,
        "timeoutSeconds": options.timeout_seconds,
        "maxAttempts": options.max_attempts,
        "idempotencyKey": key,
    }
    given = {name: value for name, value in how.items() if value is not None}
    return {
        "name": kind if options.name is None else options.name,
        "kind": kind,
        "params": dict(params),
        "options": given,
    }


def _batches(inputs: Iterable[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    batch: list[dict[str, Any]] = []
    size = 0
    for nth, each in enumerate(inputs):
        more = len(encoded(each, str(nth))) + 2
        if batch and (len(batch) == AT_ONCE or size + more > BYTES_AT_ONCE):
            yield batch
            batch, size = [], 0
        batch.append(each)
        size += more
    if batch:
        yield batch


def _moved(problem: Problem, by: int) -> Problem:
    """Of a later batch: its index is that among all."""
    index, *rest = problem.field or ("",)
    return replace(problem, field=(str(int(index) + by), *rest)) if index.isdigit() else problem
