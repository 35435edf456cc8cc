"""A task as it was when it was last looked at, and what can be done with it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

from millrace import documents
from millrace.errors import Error, NotAllowed, NotEnded, NotFound, Problem, Refused, TaskFailed, Unreachable
from millrace.output import follow
from millrace.rows import moment

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from millrace.output import Piece
    from millrace.transport import Transport

ENDED: Final = frozenset({"FINISHED", "FAILED", "CANCELLED"})
CHUNK = 256 * 1024


@dataclass(frozen=True)
class TaskError:
    """What the handler raised, or how its process ended. `traceback` is None when it left none.

    `fingerprint`: the same for tasks that have failed for the same cause.
    """

    type: str
    message: str
    traceback: str | None = None
    fingerprint: str | None = None

    def __str__(self) -> str:
        return f"{self.type}: {self.message}" if self.message else self.type


@dataclass(frozen=True)
class Progress:
    """How far a running task has come: `fraction` from 0 to 1; None for what cannot be told."""

    fraction: float | None
    message: str | None
    seconds_left: float | None


@dataclass(frozen=True)
class Waiting:
    """Where a task stands that has not begun: `position` 1 begins next; None for what cannot be told.

    `workers_serving`: how many take tasks of its queue now.
    """

    position: int | None
    queue_paused: bool
    workers_serving: int
    estimated_start: datetime | None


class Task:
    """What was asked for. Its attributes are of when it was last looked at: `refresh()` and `wait()` look again."""

    def __init__(self, transport: Transport, data: dict[str, Any]) -> None:
        self._transport = transport
        self._data = data

    def __repr__(self) -> str:
        return f"<Task {self.number} {self.name!r} {self.status}>"

    @property
    def number(self) -> int:
        return int(self._data["number"])

    @property
    def name(self) -> str:
        return str(self._data["name"])

    @property
    def kind(self) -> str:
        """Empty when no worker has announced it."""
        return str((self._data["kind"] or {}).get("name", ""))

    @property
    def queue(self) -> str:
        return str(self._data["queue"]["name"])

    @property
    def priority(self) -> int:
        return int(self._data["priority"])

    @property
    def created_by(self) -> str | None:
        person = self._data["createdBy"]
        return person and str(person["username"])

    @property
    def status(self) -> str:
        """QUEUEING, RUNNING, FINISHED, FAILED or CANCELLED."""
        return str(self._data["status"])

    @property
    def reason(self) -> str | None:
        """Why it is in its status, such as RETRY_WAIT or TIMEOUT; None when there is nothing to add."""
        return self._data["reason"]  # type: ignore[no-any-return]

    @property
    def has_ended(self) -> bool:
        return self.status in ENDED

    @property
    def created_at(self) -> datetime:
        at = moment(self._data["createdAt"])
        assert at  # noqa: S101 every task has one; for the type checker
        return at

    @property
    def run_after(self) -> datetime | None:
        return moment(self._data["runAfter"])

    @property
    def started_at(self) -> datetime | None:
        return moment(self._data["startedAt"])

    @property
    def finished_at(self) -> datetime | None:
        return moment(self._data["finishedAt"])

    @property
    def run_seconds(self) -> float | None:
        """How long its last attempt ran."""
        return self._data["runSeconds"]  # type: ignore[no-any-return]

    @property
    def progress(self) -> Progress | None:
        """None unless it runs and has said how far it has come."""
        told = self._data["progress"]
        return told and Progress(told["fraction"], told["message"], told["secondsLeft"])

    @property
    def waiting(self) -> Waiting | None:
        """Where it stands; None once it has begun."""
        if "waiting" not in self._data:
            self.refresh()
        told = self._data["waiting"]
        return told and Waiting(
            told["position"], told["queuePaused"], told["workersServing"], moment(told["estimatedStart"])
        )

    @property
    def status_text(self) -> str:
        """One sentence: why it has not started yet, or how it ended."""
        return str(self._large("statusText"))

    @property
    def params(self) -> dict[str, Any]:
        return dict(self._large("params"))

    @property
    def cloned_from(self) -> int | None:
        """The number of the task that it was made from; None when there is none, or it is gone."""
        told = self._large("clonedFrom")
        return told and int(told["number"])

    @property
    def result(self) -> Any:
        """What it returned: a number, or whatever JSON can hold; None for nothing.

        Raises TaskFailed when it has failed or was cancelled, NotEnded before it has ended.
        """
        if not self.has_ended:
            raise NotEnded(f"task {self.number} has not ended yet ({self.status.lower()}): wait for it first")
        if self.status != "FINISHED":
            raise TaskFailed(self, self.failure or f"task {self.number} was cancelled")
        text = self.value_text
        if not text:
            return self._large("result")
        return int(text) if text.removeprefix("-").isdigit() else float(text)

    @property
    def value_text(self) -> str:
        """The number it returned, as text; empty when it returned none, or something else."""
        return self._data["valueText"] or ""

    @property
    def error(self) -> TaskError | None:
        """Why it has failed; None unless it has."""
        told = self._data["error"]
        if told is None:
            return None
        told = self._large("error") or told
        return TaskError(told["type"], told["message"], told.get("traceback"), told.get("fingerprint"))

    @property
    def failure(self) -> str:
        """The error in one line; empty unless it has failed."""
        if self.status != "FAILED":
            return ""
        told = self._data["error"]
        why = str(TaskError(told["type"], told["message"])) if told else str(self.reason or "").lower()
        return f"task {self.number} failed: {why}"

    def refresh(self) -> Self:
        """Look at it again. Raises NotFound when it was deleted."""
        data = self._transport.ask(documents.TASK, {"id": str(self.number)}, safe=True)["task"]
        if data is None:
            raise NotFound(f"there is no task {self.number}")
        self._data = data
        return self

    def wait(self, timeout: float | None = None) -> Self:
        """Until it has ended, however. Raises TimedOut after so many seconds; for many see `millrace.wait`."""
        from millrace.waiting import wait  # noqa: PLC0415 which knows tasks

        wait([self], timeout)
        return self

    def cancel(self) -> Self:
        """Nobody runs it any more. Raises Refused when it has ended already."""
        return self._act("cancelTask")

    def retry(self) -> Self:
        """Make its next attempt. Raises Refused unless it has ended."""
        return self._act("retryTask")

    def again(self, /, **params: Any) -> Task:
        """A new task like this one, with some parameters changed. Raises Refused."""
        payload = self._mutate(documents.ACTS["retryTask"], "retryTask", params={**self.params, **params})
        return Task(self._transport, payload["task"])

    def delete(self) -> None:
        """For good. Raises Refused while it runs."""
        self._mutate(documents.DELETE, "deleteTask")

    def output(self, attempt: int | None = None) -> str:
        """What an attempt has printed by now, stdout and stderr as they came; the last attempt unless told."""
        return "".join(piece.shown for piece in self.pieces(attempt))

    def pieces(self, attempt: int | None = None) -> Iterator[Piece]:
        """The same piece by piece, each of one stream."""
        return follow(self._transport, self.number, attempt, until_ended=False)

    def follow(self, attempt: int | None = None) -> Iterator[Piece]:
        """What it prints, piece by piece as it comes, until it has ended; of whatever attempt runs unless told."""
        return follow(self._transport, self.number, attempt, until_ended=True)

    @property
    def artifacts(self) -> list[Artifact]:
        """What its last attempt has made by now."""
        data = self._transport.ask(documents.ARTIFACTS, {"id": str(self.number)}, safe=True)["task"]
        if data is None:
            raise NotFound(f"there is no task {self.number}")
        return [Artifact(self._transport, each) for each in data["artifacts"]]

    def _large(self, name: str) -> Any:
        """What lists leave out."""
        if "statusText" not in self._data:
            self.refresh()
        return self._data[name]

    def _act(self, name: str) -> Self:
        self._data = self._mutate(documents.ACTS[name], name)["task"]
        return self

    def _mutate(self, document: str, name: str, **more: Any) -> dict[str, Any]:
        # Never twice: a second retry would be another attempt.
        payload = self._transport.ask(document, {"input": {"id": str(self.number), **more}}, safe=False)[name]
        raise_problems(payload["userErrors"])
        return dict(payload)

    def _take(self, data: dict[str, Any]) -> None:
        self._data = data


class Artifact:
    """A file that a task has made, or what its handler returned to be shown."""

    def __init__(self, transport: Transport, data: dict[str, Any]) -> None:
        self._transport = transport
        self._url = str(data["url"])
        self.name = str(data["name"])
        self.content_type = str(data["contentType"])
        self.size = int(data["bytes"])
        self.sha256 = str(data["sha256"])

    def __repr__(self) -> str:
        return f"<Artifact {self.name!r} {self.size:,} bytes>"

    def read(self) -> bytes:
        return b"".join(self._chunks())

    def save(self, path: str | Path = ".") -> Path:
        """Write it to this file, or under its name into this folder. What is there is whole, or as it was before."""
        target = Path(path)
        if target.is_dir():
            target /= self.name.replace("/", "_").replace("\\", "_").lstrip(".") or "artifact"
        part = target.with_name(f"{target.name}.part")
        try:
            with part.open("wb") as file:
                for chunk in self._chunks():
                    file.write(chunk)
            part.replace(target)
        finally:
            part.unlink(missing_ok=True)
        return target

    def _chunks(self) -> Iterator[bytes]:
        found = hashlib.sha256()
        with self._transport.get(self._url) as answer:
            while chunk := answer.read(CHUNK):
                found.update(chunk)
                yield chunk
        if found.hexdigest() != self.sha256:
            raise Unreachable(f"{self.name} has arrived damaged: load it again")


def raise_problems(errors: list[dict[str, Any]]) -> None:
    """Raises Refused, or what these mistakes rather are."""
    if errors:
        raise problem_of(errors)


def problem_of(errors: list[dict[str, Any]], skip: int = 0) -> Error:
    """`skip`: how many steps of each path the caller has not made."""
    problems = [Problem(tuple(each["field"] or ())[skip:], each["message"], each["code"]) for each in errors]
    (first, *others) = problems
    if not others and first.field == ("id",):
        if first.code == "NOT_FOUND":
            return NotFound(first.message)
        if first.code == "FORBIDDEN":
            return NotAllowed(first.message)
        return Refused([Problem((), first.message, first.code)])
    return Refused(problems)
