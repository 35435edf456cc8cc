"""What has to be true of every task when all is quiet: the promises, as checks of the books.

Each check yields a `Broken` for each task with which it is not so.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from tests.chaos.asked import Asked
from tests.chaos.books import Books
from tests.chaos.database import FINAL, Row
from tests.chaos.expected import ARTIFACT, artifact, end_of

CANCEL_SECONDS = 10.0
KILLED_BEFORE_FIRST_LINE = 2  # runs that their worker had announced, killed before they could write to the ledger


@dataclass(frozen=True, slots=True)
class Broken:
    """`ident`: the task's; "" when it is not about one."""

    invariant: str
    ident: str
    text: str


Check = Callable[[Books], Iterator[Broken]]


def broken(books: Books, checks: "Sequence[Check] | None" = None) -> list[Broken]:
    return [each for check in checks or ALL for each in check(books)]


def nothing_is_lost(books: Books) -> Iterator[Broken]:
    for asked in books.asked:
        if asked.acknowledged and not books.rows_of[asked.ident]:
            yield Broken("I1 lost", asked.ident, "it was created, and there is no such task")


def every_request_is_answered(books: Books) -> Iterator[Broken]:
    """They were sent again until they were; that what was never answered is there all the same is allowed."""
    for asked in books.asked:
        if not asked.acknowledged:
            yield Broken("I11 unanswered", asked.ident, f"its creation was not answered in {asked.tries} tries")


def nothing_is_stuck(books: Books) -> Iterator[Broken]:
    for row in books.rows:
        if row.status not in FINAL:
            yield Broken("I2 stuck", row.name, f"task {row.number} is still {row.status} {row.reason}")


def nothing_is_recorded_twice(books: Books) -> Iterator[Broken]:
    names = {row.number: row.name for row in books.rows}
    ends = Counter((change.task, change.attempt) for change in books.changes if change.after in FINAL)
    for (task, attempt), count in ends.items():
        if count > 1:
            yield Broken("I3 recorded twice", names[task], f"attempt {attempt} of task {task} ended {count} times")
    retried = {asked.ident: asked.retried + asked.retry_uncertain for asked in books.asked}
    undone = Counter(change.task for change in books.changes if change.before in FINAL and change.after not in FINAL)
    for task, count in undone.items():
        if count > retried[names[task]]:
            yield Broken("I3 recorded twice", names[task], f"task {task} went on {count} times after its end")


def nothing_is_wrong(books: Books) -> Iterator[Broken]:
    for asked in books.asked:
        for row in books.rows_of[asked.ident]:
            if row.status in ("FINISHED", "FAILED") and (why := _wrong(books, asked, row)):
                yield Broken("I4 wrong", asked.ident, why)


def whatever_finished_was_run(books: Books) -> Iterator[Broken]:
    for row in books.rows:
        if row.status == "FINISHED" and not books.ended[row.name]:
            yield Broken("I5 never run", row.name, f"task {row.number} is FINISHED and was not run to its end")


def runs_are_as_few_as_faults_allow(books: Books) -> Iterator[Broken]:
    extra, bound = extra_runs(books)
    if extra > bound:
        often = Counter({ident: len(lines) for ident, lines in books.begun.items()}).most_common(5)
        yield Broken("I6 extra runs", often[0][0], f"{extra} more runs than attempts, at most {bound} allowed: {often}")


def a_key_makes_one_task(books: Books) -> Iterator[Broken]:
    for asked in books.asked:
        numbers = asked.numbers | {row.number for row in books.rows_of[asked.ident]}
        if len(numbers) > 1:
            yield Broken("I7 created twice", asked.ident, f"one request made the tasks {sorted(numbers)}")


def cancelled_tasks_stay_so_and_stop(books: Books) -> Iterator[Broken]:
    for asked in books.asked:
        if asked.cancelled_at is None:
            continue
        for row in books.rows_of[asked.ident]:
            if row.status != "CANCELLED":
                yield Broken("I8 cancelled", asked.ident, f"task {row.number} was cancelled and is {row.status}")
        for line in (*books.begun[asked.ident], *books.ended[asked.ident]):
            if line.at > _calm_since(books, asked.cancelled_at, line.at) + CANCEL_SECONDS:
                late = line.at - asked.cancelled_at
                yield Broken("I8 cancelled", asked.ident, f"{line.phase} of a run {late:.1f} s after it was cancelled")


def nobody_is_charged_for_others(books: Books) -> Iterator[Broken]:
    """A crash that is counted is a run of the task's own that never came to its end."""
    charged = [row for row in books.rows if row.crashes > len(books.begun[row.name])]
    if len(charged) <= KILLED_BEFORE_FIRST_LINE:
        return
    for row in charged:
        runs = len(books.begun[row.name])
        yield Broken("I9 charged", row.name, f"task {row.number} has {row.crashes} crashes and ran {runs} times")


def artifacts_are_there_whole_and_once(books: Books) -> Iterator[Broken]:
    for asked in books.asked:
        for row in books.rows_of[asked.ident]:
            if asked.kind != "chaos.artifacts" or row.status != "FINISHED":
                continue
            wanted = [(ARTIFACT, hashlib.sha256(artifact(asked.seed)).hexdigest())]
            if (found := books.artifacts.get(row.number, [])) != wanted:
                yield Broken("I17 artifacts", asked.ident, f"task {row.number} has {found} and not {wanted}")


ALL: Sequence[Check] = (
    nothing_is_lost,
    every_request_is_answered,
    nothing_is_stuck,
    nothing_is_recorded_twice,
    nothing_is_wrong,
    whatever_finished_was_run,
    runs_are_as_few_as_faults_allow,
    a_key_makes_one_task,
    cancelled_tasks_stay_so_and_stop,
    nobody_is_charged_for_others,
    artifacts_are_there_whole_and_once,
)


def extra_runs(books: Books) -> tuple[int, int]:
    """How many more runs began than there were attempts, and how many the faults account for."""
    extra = sum(max(0, len(books.begun[row.name]) - row.attempt) for row in books.rows)
    return extra, sum(fault.extra_runs for fault in books.faults)


def recovered(books: Books) -> int:
    """Tasks that are there although no answer to their creation ever came."""
    return sum(not asked.acknowledged and bool(books.rows_of[asked.ident]) for asked in books.asked)


def _wrong(books: Books, asked: Asked, row: Row) -> str:
    """Why this is not what the task has to come to; "" when it is."""
    end = end_of(asked.kind, asked.seed)
    found = (row.status, row.reason, row.value_text)
    begun = len(books.begun[row.name])
    # After a fault one that came to its end may have vanished too: its worker could not tell the outcome any more.
    vanished = begun if books.faults else begun - len(books.ended[row.name])
    if found[:2] == ("FAILED", "CRASHED") and vanished >= row.max_crashes:
        return ""
    if found != (end.status, end.reason, end.value_text):
        return f"task {row.number} came to {found} and not to {end}"
    error = books.errors.get((row.number, row.attempt), "")
    if end.says not in error:
        return f"the error of task {row.number} is {error!r:.200}, without {end.says!r}"
    return ""


def _calm_since(books: Books, since: float, until: float) -> float:
    """When the last fault before `until` was healed, as far as that was after `since`."""
    return max([since, *(fault.ended + fault.heals_in for fault in books.faults if fault.began < until)])
