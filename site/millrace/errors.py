"""What can go wrong, as the few exceptions that a program tells apart; each says in one sentence what to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from millrace.tasks import Task


class Error(Exception):
    """Any of these.

    `created`: tasks that `create_many` had made before it met this; none otherwise.
    """

    created: Sequence[Task] = ()


class Misconfigured(Error):
    """The address or the token is missing or cannot be used, or who answers there is not Millrace."""


class Unreachable(Error):
    """The server cannot be reached, or does not answer as one; whether it has done what was asked is not known."""


class NotAllowed(Error):
    """The token is not valid, or not good for this."""


class NotFound(Error):
    """There is no such task, or it is somebody else's."""


@dataclass(frozen=True)
class Problem:
    """One mistake to put right. `field` is its path in what was sent; `code` as in the API, such as INVALID."""

    field: tuple[str, ...]
    message: str
    code: str


class Refused(Error):
    """The server did nothing, or was not even asked, because of these `problems`."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("; ".join(map(_written, problems)))
        self.problems = tuple(problems)


class ServerFault(Error):
    """A mistake of the server's own; its log has the details."""


class TaskFailed(Error):
    """The result was asked of a task that has failed or was cancelled."""

    def __init__(self, task: Task, message: str) -> None:
        super().__init__(message)
        self.task = task


class NotEnded(Error):
    """The result was asked of a task that has not ended yet."""


class TimedOut(Error, TimeoutError):
    """`wait` has waited as long as it may; `open` are the tasks that have not ended."""

    def __init__(self, message: str, open_: Sequence[Task]) -> None:
        super().__init__(message)
        self.open = tuple(open_)


def _written(problem: Problem) -> str:
    place = ".".join(problem.field)
    return f"{place}: {problem.message}" if place else problem.message
