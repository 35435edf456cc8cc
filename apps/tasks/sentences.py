"""A task's status in one sentence for a person: why it has not started yet, what it does, or how it ended."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from apps.queues import resting
from apps.queues.pauses import Pause
from apps.tasks.lifecycle import Reason, Status
from apps.tasks.turns import PLACE_CAP
from workers.messages import NO_SANDBOX

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence

    from apps.queues.limits import Limits
    from apps.queues.models import Worker
    from apps.tasks.models import Attempt, Task
    from apps.tasks.turns import Turn

    FindTurn = Callable[[Task, Sequence[Worker], datetime], Turn | None]

MESSAGE_LENGTH = 200
LONG = timedelta(seconds=10)  # how long somebody is busy is said from then on
SOON, MINUTE = timedelta(seconds=5), timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Moment:
    """A time within a sentence. `form`: how the browser shows it on a page, one of those in static/js/times.js."""

    at: datetime
    form: str
    text: str

    def __str__(self) -> str:
        return self.text


Parts = list[str | Moment]


def status_text(
    task: Task,
    *,
    now: datetime,
    live_workers: Collection[Worker],
    obstacle: str = "",
    pause: Pause | None = None,
    limits: Limits | None = None,
) -> str:
    told = status_parts(task, now=now, live_workers=live_workers, obstacle=obstacle, pause=pause, limits=limits)
    return "".join(map(str, told))


def status_parts(
    task: Task,
    *,
    now: datetime,
    live_workers: Collection[Worker],
    obstacle: str = "",
    pause: Pause | None = None,
    limits: Limits | None = None,
    find_turn: FindTurn = lambda *_: None,
) -> Parts:
    """`obstacle`: a sentence that says why nothing is handed to the workers at present. `pause`: of the task's queue.

    `find_turn` is asked only of a task that waits for nothing but its turn; without it no place is told. Asks the
    database itself only when neither `last_attempts` nor `attempts` is prefetched and it speaks of one of them.
    """
    match task.status:
        case Status.QUEUEING:
            held = pause or limits
            return _waiting_parts(task, now, live_workers, obstacle=obstacle, held=held, find_turn=find_turn)
        case Status.RUNNING:
            return _running_parts(task, now, live_workers, pause)
        case Status.FINISHED:
            return [_finished_text(task)]
        case Status.FAILED:
            return [_failed_text(task)]
    return [_cancelled_text(task)]


def _waiting_parts(
    task: Task,
    now: datetime,
    live_workers: Collection[Worker],
    *,
    obstacle: str,
    held: Pause | Limits | None,
    find_turn: FindTurn,
) -> Parts:
    if task.run_at and task.run_at > now:
        return _later_parts(task, task.run_at, now)
    if isinstance(held, Pause):
        return _paused_parts(held, now)
    if task.reason == Reason.UNKNOWN_KIND:
        return [_unknown_kind_text(task, live_workers)]
    so_far = [f" Crashes so far: {task.crashes} of {task.max_crashes}."] if task.crashes else []
    if obstacle and task.dispatch_at:
        return [obstacle, *so_far]
    serving = that_serve(task.queue, live_workers)
    if not serving:
        return [_nobody_text(task.queue, live_workers), *so_far]
    turn = find_turn(task, serving, now)
    # Where there are limits slots may be free, and the order does not tell when.
    parts = _limited_parts(task.queue, turn, held) if held else _turn_parts(task.queue, serving, turn, now)
    return [*parts, *so_far]


def _limited_parts(queue: str, turn: Turn | None, limits: Limits) -> Parts:
    return [f"{_place_text(queue, turn)}, which is limited to {limits}."]


def _later_parts(task: Task, at: datetime, now: datetime) -> Parts:
    left = Moment(at, "until", count((at - now).total_seconds()))
    if task.reason == Reason.RETRY_WAIT:
        return [_which_try(task), _second(at, now), ", in ", left, _after_what(task), "."]
    return ["Scheduled for ", Moment(at, "exact", f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"), ", in ", left, "."]


def _unknown_kind_text(task: Task, live_workers: Collection[Worker]) -> str:
    if any(task.kind in worker.kinds for worker in that_serve(task.queue, live_workers)):
        return f"Waiting for a worker that knows the kind {task.kind}: not every one of the queue {task.queue} does."
    again = "it is offered again every few seconds, for ten minutes"
    return f"No worker that took it knows the kind {task.kind} yet: {again}."


def _paused_parts(pause: Pause, now: datetime) -> Parts:
    by = f" by {pause.by}" if pause.by else ""
    return [f"Queue paused{by} ", Moment(pause.at, "ago", ago(pause.at, now)), "."]


def _which_try(task: Task) -> str:
    before = _attempt(task, task.attempt - 1)
    if before and before.reason == Reason.CRASHED:
        return "Waiting to run again at "
    return f"Waiting for its {ordinal(task.errors + 1)} of {task.max_attempts} tries at "


def _after_what(task: Task) -> str:
    """What came of the attempt before the one that it waits for."""
    before = _attempt(task, task.attempt - 1)
    if before and before.reason == Reason.CRASHED:
        return f", after crash {task.crashes} of {task.max_crashes}: {_crash_text(before)}"
    cause = _limit_text(task) if before and before.reason == Reason.TIMEOUT else _error_text(before)
    return f", after: {cause}" if cause else ""


def _second(at: datetime, now: datetime) -> Moment:
    return Moment(at, "second", f"{_day(at, now)}{at.astimezone(UTC):%H:%M:%S} UTC")


def _day(at: datetime, now: datetime) -> str:
    """Nothing for today's."""
    at = at.astimezone(UTC)
    return "" if at.date() == now.astimezone(UTC).date() else f"{at:%Y-%m-%d} "


def _since(at: datetime, now: datetime) -> Moment:
    return Moment(at, "since", count((now - at).total_seconds()))


def _turn_parts(queue: str, serving: Sequence[Worker], turn: Turn | None, now: datetime) -> Parts:
    slots = sum(worker.concurrency for worker in serving)
    used = turn.used if turn else sum(len(worker.running) for worker in serving)
    if slots - used >= (turn.place if turn else 1):
        return ["About to start."]
    busy = _busy_parts(len(serving), slots, turn, now) if used >= slots else []
    return [_place_text(queue, turn), *busy, *_start_parts(turn, now), "."]


def _place_text(queue: str, turn: Turn | None) -> str:
    if turn is None:
        return f"Waits in the queue {queue}"
    if turn.place > PLACE_CAP:
        return f"More than {PLACE_CAP:,} tasks stand before it in the queue {queue}"
    return f"{ordinal(turn.place)} in the queue {queue}"


def _busy_parts(workers: int, slots: int, turn: Turn | None, now: datetime) -> Parts:
    what = "worker" if workers == slots else "slot"
    who = f"; the only {what} is busy" if slots == 1 else f"; all {slots} {what}s are busy"
    who = f"; both {what}s are busy" if slots == 2 else who
    if not (turn and turn.since and now - turn.since >= LONG):
        return [who]
    return [who, " (for " if slots == 1 else " (the longest for ", _since(turn.since, now), ")"]


def _start_parts(turn: Turn | None, now: datetime) -> Parts:
    if not (turn and turn.starts_at):
        return []
    left = turn.starts_at - now
    if left < MINUTE:
        return [f"; should start within {'seconds' if left < SOON else 'a minute'}"]
    at = (turn.starts_at + MINUTE / 2).replace(second=0, microsecond=0)
    return ["; should start about ", clock(at, now)]


def last_attempt(task: Task) -> Attempt | None:
    """The attempt that the task's row speaks of; None before it has begun."""
    return _attempt(task, task.attempt)


def ago(moment: datetime, now: datetime) -> str:
    """ "just now", "45 s ago", "3 min ago", "2 h ago", "5 d ago", then the date. The same steps as in times.js."""
    seconds = (now - moment).total_seconds()
    if seconds < 5:
        return "just now"
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s")):
        if seconds >= size and seconds < 30 * 86_400:
            return f"{int(seconds // size)} {unit} ago"
    return f"{moment.astimezone(UTC):%Y-%m-%d}"


def duration(seconds: float) -> str:
    """Two units at most: "0.8 ms", "1.24 s", "3 min 5 s", "2 h 10 min", "4 d 3 h"."""
    if seconds < 0.0995:
        return f"{max(seconds, 0) * 1000:.2g} ms"
    if seconds < 9.995:
        return f"{seconds:.2f} s"
    if seconds < 59.5:
        return f"{seconds:.0f} s"
    whole = round(seconds)
    for size, unit, part_size, part_unit in ((86_400, "d", 3_600, "h"), (3_600, "h", 60, "min"), (60, "min", 1, "s")):
        if whole >= size:
            part = whole % size // part_size
            return f"{whole // size} {unit} {part} {part_unit}" if part else f"{whole // size} {unit}"
    raise AssertionError(seconds)


def limit(seconds: float) -> str:
    """As it was given where that reads well: "0.5 s", "30 s", "5 min"."""
    return f"{seconds:g} s" if seconds < 59.5 else duration(seconds)


def count(seconds: float) -> str:
    """How long something goes on, or is still away: whole seconds, as times.js counts them."""
    whole = max(int(seconds), 1)
    return f"{whole} s" if whole < 60 else duration(whole)


def clock(at: datetime, now: datetime) -> Moment:
    """To the minute; with its day if that is not today's."""
    return Moment(at, "clock", f"{_day(at, now)}{at.astimezone(UTC):%H:%M} UTC")


def ordinal(number: int) -> str:
    """ "1st", "12th", "1,203rd"."""
    ends = {1: "st", 2: "nd", 3: "rd"}
    return f"{number:,}{'th' if 10 < number % 100 < 14 else ends.get(number % 10, 'th')}"


def number_text(value_text: str) -> str:
    """The number as it was returned; what is none in a way that people write: "NaN", "∞", "-∞"."""
    return {"nan": "NaN", "inf": "∞", "-inf": "-∞"}.get(value_text, value_text)


def _attempt(task: Task, number: int) -> Attempt | None:
    known: Iterable[Attempt] | None = getattr(task, "last_attempts", None)
    known = task.attempts.all() if known is None else known
    return next((attempt for attempt in known if attempt.number == number), None)


def that_serve(queue: str, live_workers: Collection[Worker]) -> list[Worker]:
    """Those of them that take tasks of this queue now."""
    return [worker for worker in live_workers if queue in worker.queues and not worker.is_resting]


def _nobody_text(queue: str, live_workers: Collection[Worker]) -> str:
    if not live_workers:
        return "No worker is connected: the task starts when one is."
    if rests := [worker for worker in live_workers if queue in worker.queues]:
        told = resting.told(rests)
        return f"Every worker of the queue {queue} is {told}: the task starts when one takes tasks again."
    return f"No worker serves the queue {queue}: the task starts when one does."


def _running_parts(task: Task, now: datetime, live_workers: Collection[Worker], pause: Pause | None) -> Parts:
    if task.worker and all(worker.name != task.worker for worker in live_workers):
        again = "the task starts again once its queue is resumed" if pause else _successor(task, live_workers)
        return [f"Worker {task.worker} has gone silent: {again}."]
    running = f"Running on {task.worker}" if task.worker else "Running"
    if not task.started_at:
        return [f"{running}."]
    return [f"{running} for ", _since(task.started_at, now), "."]


def _successor(task: Task, live_workers: Collection[Worker]) -> str:
    if that_serve(task.queue, live_workers):
        return "another one starts the task again"
    return f"the task starts again when another one serves the queue {task.queue}"


def _finished_text(task: Task) -> str:
    if task.value_text:
        return f"Finished{_in(task)}: it returned {number_text(task.value_text)}."
    known: bool | None = vars(task).get("left_nothing")  # figures or the like may be seen as its result
    left_nothing = task.result is None if known is None else known
    return f"Finished{_in(task)}: it returned nothing." if left_nothing else f"Finished{_in(task)}."


def _failed_text(task: Task) -> str:
    attempt = last_attempt(task)
    cause, after = _error_text(attempt), _after(attempt)
    tries = f" after {task.errors} tries" if task.errors > 1 else after
    match task.reason:
        case Reason.UNKNOWN_KIND if attempt and attempt.error_type == NO_SANDBOX:
            return f"Failed: {_message(attempt)}."
        case Reason.UNKNOWN_KIND:
            return f"Failed: worker {task.worker} does not know the kind {task.kind}."
        case Reason.CRASHED:
            crashes = f" after {task.crashes} crashes" if task.crashes > 1 else after
            return f"Failed{crashes}: {_crash_text(attempt)}."
        case Reason.TIMEOUT:
            return f"Failed{tries}: {_limit_text(task)}."
        case Reason.RESULT_TOO_LARGE | Reason.RESULT_NOT_SERIALISABLE:
            return f"Failed{after}: {cause or Reason(task.reason).label}."
    return f"Failed{tries}: {cause}." if cause else f"Failed{tries}."


def _cancelled_text(task: Task) -> str:
    if not (task.started_at and task.finished_at):
        return "Cancelled while it waited."
    return f"Cancelled after it had run for {duration((task.finished_at - task.started_at).total_seconds())}."


def _limit_text(task: Task) -> str:
    exactly = f" of {limit(task.timeout_seconds)}" if task.timeout_seconds else ""
    return f"it ran longer than its limit{exactly}"


def _crash_text(attempt: Attempt | None) -> str:
    return _message(attempt) if attempt and attempt.error_message else "its process died"


def _error_text(attempt: Attempt | None) -> str:
    """Type and message on one line, without the full stop that the sentence brings itself."""
    if attempt is None:
        return ""
    return ": ".join(part for part in (attempt.error_type, _message(attempt)) if part)


def _message(attempt: Attempt) -> str:
    message = " ".join(attempt.error_message.split())
    message = message if len(message) <= MESSAGE_LENGTH else f"{message[: MESSAGE_LENGTH - 3]}..."
    return message.removesuffix(".")


def _in(task: Task) -> str:
    attempt = last_attempt(task)
    return f" in {duration(attempt.run_seconds)}" if attempt and attempt.run_seconds is not None else ""


def _after(attempt: Attempt | None) -> str:
    return f" after {duration(attempt.run_seconds)}" if attempt and attempt.run_seconds is not None else ""
