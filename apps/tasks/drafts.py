"""What a person asks for before it is a task, and every rule it must keep: one check for pages and GraphQL alike."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from operator import attrgetter
from typing import TYPE_CHECKING, Any, TypeVar

from django.conf import settings

from apps.accounts.permissions import may_create
from apps.tasks import checks, priority
from apps.tasks.models import KEY_LENGTH, KIND_LENGTH, NAME_LENGTH, Kind
from workers.messages import storable

if TYPE_CHECKING:
    from apps.accounts.permissions import Person

NO_CODE = "runs code, for which you need the permission “Can run code that they write”: ask an administrator"
CODE_OFF = "runs code, which is switched off on this server: who runs it can set MILLRACE_CODE=on"
LONGEST_DELAY = timedelta(days=3_650)
SHORTEST_RUN_SECONDS = 0.001
LONGEST_RUN_SECONDS = 7 * 86_400
MOST_ATTEMPTS = 100

Item = TypeVar("Item")
Made = TypeVar("Made")


@dataclass(slots=True, kw_only=True)  # a frozen one takes three times as long to make
class Draft:
    """A task to be, which nobody changes. `problems`: what could not be read at its door.

    `run_at` or `delay_seconds`: not before this time; None = at once. `queue`, `timeout_seconds`, `max_attempts`: None
    = as its kind has them. `idempotency_key`: the same draft under the same key is the same task. `cloned_from`: the
    number of a task that this person sees.
    """

    name: str
    kind: str
    params: Any = field(default_factory=dict)
    queue: str | None = None
    priority: int = 0
    run_at: datetime | None = None
    delay_seconds: float | None = None
    timeout_seconds: float | None = None
    max_attempts: int | None = None
    idempotency_key: str | None = None
    cloned_from: int | None = None
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One mistake the person can put right. `field` is its path in the input; `code` one of GraphQL's UserErrorCode."""

    field: tuple[str, ...]
    message: str
    code: str = "INVALID"


class Refused(Exception):
    """A service did nothing, for these reasons."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("; ".join(problem.message for problem in problems))
        self.problems = problems


def cleaned(
    draft: Draft, kinds: Mapping[str, Kind], now: datetime | None, user: Person, queues: Collection[str] = ()
) -> Draft:
    """The draft as it will be stored for this person. Raises Refused with everything that is wrong with it.

    `now`: None for one that names no time. `queues`: those there are, for drafts that name one.
    """
    name = unicodedata.normalize("NFC", draft.name.strip()) if storable(draft.name) else draft.name
    problems = [
        *draft.problems,
        *(() if _is_plain(name) else _name_problems(name)),
        *_kind_problems(draft.kind, kinds, user),
        *(() if _options(draft) == NO_OPTIONS else _option_problems(draft, now, queues)),
    ]
    if faults := checks.faults(draft.params, kinds.get(draft.kind)):
        problems += [Problem(field=("params", *fault.path), message=fault.message, code=fault.code) for fault in faults]
    if problems:
        raise Refused(problems)
    delay = draft.delay_seconds
    if delay is None and name == draft.name:
        return draft
    after = now and delay is not None and now + timedelta(seconds=delay)
    return replace(draft, name=name, run_at=after or draft.run_at)


def is_key(text: str) -> bool:
    """Whether it can be an idempotency key."""
    return 0 < len(text) <= KEY_LENGTH and text.isascii() and text.isprintable()


def no_code() -> str:
    """Why somebody may not have code run, to be said of a task or a kind."""
    return NO_CODE if settings.CODE else CODE_OFF


def for_each(items: Iterable[Item], make: Callable[[Item], Made]) -> list[Made]:
    """What `make` makes of each. Raises Refused with everything that it refused, paths beginning with the index."""
    made: list[Made] = []
    problems: list[Problem] = []
    for index, item in enumerate(items):
        try:
            made.append(make(item))
        except Refused as refused:
            problems += [replace(problem, field=(str(index), *problem.field)) for problem in refused.problems]
    if problems:
        raise Refused(problems)
    return made


def _is_plain(name: str) -> bool:
    """As most names are, and a thousand come at once."""
    return name.isascii() and name.isprintable() and not name.isspace() and 0 < len(name) <= NAME_LENGTH


def _name_problems(name: str) -> list[Problem]:
    if not storable(name):
        return [Problem(field=("name",), message="Not valid Unicode: a NUL or half of a surrogate pair.")]
    if _UNREADABLE in name:
        message = f"Not valid Unicode: {_UNREADABLE} stands where it could not be read. Type it anew."
        return [Problem(field=("name",), message=message)]
    if not any(_is_visible(character) for character in name):
        return [Problem(field=("name",), message="Give the task a name.", code="BLANK")]
    if len(name) > NAME_LENGTH:
        message = f"At most {NAME_LENGTH} characters (it has {len(name)})."
        return [Problem(field=("name",), message=message, code="TOO_LONG")]
    if any(unicodedata.category(character) == "Cc" or character in _DIRECTION_CHANGES for character in name):
        return [Problem(field=("name",), message="Control characters are not allowed in a name.")]
    return []


_UNREADABLE = "\ufffd"  # what decoders put in the place of bytes that are no text
# Letters and symbols of nothing but white.
_BLANKS = frozenset("\u115f\u1160\u2800\u3164\uffa0")


def _is_visible(character: str) -> bool:
    """By itself: a combining mark needs a letter to stand on."""
    return unicodedata.category(character)[0] not in "CMZ" and character not in _BLANKS


# They make a name read differently from what it is.
_DIRECTION_CHANGES = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


_options = attrgetter(
    "queue", "run_at", "delay_seconds", "timeout_seconds", "max_attempts", "priority", "idempotency_key"
)
NO_OPTIONS = (None, None, None, None, None, 0, None)


def _option_problems(draft: Draft, now: datetime | None, queues: Collection[str]) -> list[Problem]:
    return [
        *_queue_problems(draft.queue, queues),
        *_time_problems(draft, now),
        *_limit_problems(draft),
        *_key_problems(draft.idempotency_key),
    ]


def _queue_problems(queue: str | None, queues: Collection[str]) -> list[Problem]:
    if queue is None or queue in queues:
        return []
    message = f"There is no queue {queue!r:.{KIND_LENGTH}}. Queues: {', '.join(sorted(queues))}."
    return [Problem(field=("queue",), message=message, code="NOT_FOUND")]


def _time_problems(draft: Draft, now: datetime | None) -> list[Problem]:
    if draft.run_at is not None and draft.delay_seconds is not None:
        return [Problem(field=("run_at",), message="Give a time or a delay, not both.", code="CONFLICT")]
    if draft.run_at is not None and now and draft.run_at > now + LONGEST_DELAY:
        return [Problem(field=("run_at",), message="Must be within the next ten years.")]
    longest = LONGEST_DELAY.total_seconds()
    if draft.delay_seconds is not None and not 0 <= draft.delay_seconds <= longest:
        return [Problem(field=("delay_seconds",), message=f"Must be from 0 to {longest:,.0f}.")]
    return []


def _limit_problems(draft: Draft) -> list[Problem]:
    problems = []
    if draft.timeout_seconds is not None and not SHORTEST_RUN_SECONDS <= draft.timeout_seconds <= LONGEST_RUN_SECONDS:
        message = f"Must be from {SHORTEST_RUN_SECONDS} to {LONGEST_RUN_SECONDS:,} seconds, which are seven days."
        problems.append(Problem(field=("timeout_seconds",), message=message))
    if draft.max_attempts is not None and not 1 <= draft.max_attempts <= MOST_ATTEMPTS:
        problems.append(Problem(field=("max_attempts",), message=f"Must be from 1 to {MOST_ATTEMPTS}."))
    if not priority.is_priority(draft.priority):
        problems.append(Problem(field=("priority",), message=priority.OUT_OF_BOUNDS))
    return problems


def _key_problems(key: str | None) -> list[Problem]:
    if key is None or is_key(key):
        return []
    message = f"Must be 1 to {KEY_LENGTH} ASCII characters that can be printed, such as a UUID."
    return [Problem(field=("idempotency_key",), message=message)]


def _kind_problems(kind: str, kinds: Mapping[str, Kind], user: Person) -> list[Problem]:
    found = kinds.get(kind)
    if found and may_create(user, found):
        return []
    if found:
        return [Problem(field=("kind",), message=f"{kind} {no_code()}.", code="FORBIDDEN")]
    if not kind:
        return [Problem(field=("kind",), message="Choose a kind.", code="BLANK")]
    open_ = [name for name, each in kinds.items() if may_create(user, each)]
    known = ", ".join(open_) or "none yet: no worker has announced one; is a worker running?"
    message = f"There is no kind {kind!r:.{KIND_LENGTH}}. Kinds: {known}."
    return [Problem(field=("kind",), message=message, code="NOT_FOUND")]
