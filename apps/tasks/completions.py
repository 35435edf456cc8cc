"""What may stand in the search where somebody types: the fields, and the values of those whose values are known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from django.contrib.auth.models import User as Person

from apps.accounts.permissions import may_see_all
from apps.queues.models import Queue, Worker
from apps.tasks.lifecycle import Reason, Status
from apps.tasks.models import Kind
from apps.tasks.search import FIELDS, ME, quoted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from django.contrib.auth.models import User

MOST: Final = 8
MOST_KNOWN: Final = 200
WHEN: Final = ("1h", "24h", "today", "yesterday", ">1h", ">7d")


@dataclass(frozen=True, slots=True, kw_only=True)
class Completion:
    """`text`: the whole search once it is taken, the caret at `caret`."""

    word: str
    help: str
    text: str
    caret: int


def of(text: str, at: int, user: User) -> list[Completion]:
    """For the word that ends at `at`. None when it already stands there whole."""
    start = max(text.rfind(blank, 0, at) for blank in " \t\n") + 1
    typed, rest = text[start:at], text[at:].lstrip()
    minus = "-" if typed.startswith("-") else ""
    field, colon, value = typed.removeprefix("-").partition(":")
    if not colon:
        return [_made(text[:start], f"{minus}{name}:", rest, name, help_) for name, help_ in _fields(field)]
    if field.lower() not in _KNOWN:
        return []
    *given, last = value.split(",")
    head = ",".join([*given, ""]) if given else ""
    found = [word for word in _KNOWN[field.lower()](user) if last.strip('"').lower() in word.lower() and word != last]
    found.sort(key=lambda word: not word.lower().startswith(last.lower()))
    return [_made(text[:start], f"{minus}{field}:{head}{quoted(word)} ", rest, word, "") for word in found[:MOST]]


def _fields(typed: str) -> list[tuple[str, str]]:
    known = [(name, field.help) for name, field in FIELDS.items() if name.startswith(typed.lower())]
    return known[:MOST] if typed else [pair for pair in known if pair[0] in FIRST]


FIRST: Final = ("status", "kind", "name", "queue", "worker", "error", "created", "ran")


def _made(before: str, word: str, rest: str, shown: str, help_: str) -> Completion:
    return Completion(word=shown, help=help_, text=f"{before}{word}{rest}", caret=len(before) + len(word))


def _people(user: User) -> Iterable[str]:
    names = Person.objects.order_by("username").values_list("username", flat=True)
    return [ME, *(names[:MOST_KNOWN] if may_see_all(user) else [user.username])]


def _workers(_user: User) -> Iterable[str]:
    return Worker.objects.order_by("-last_seen_at").values_list("name", flat=True)[:MOST_KNOWN]


_KNOWN: Final[dict[str, Callable[[User], Iterable[str]]]] = {
    "status": lambda _: Status.values,
    "reason": lambda _: Reason.values,
    "kind": lambda _: Kind.objects.values_list("name", flat=True)[:MOST_KNOWN],
    "queue": lambda _: Queue.objects.order_by("name").values_list("name", flat=True)[:MOST_KNOWN],
    "worker": _workers,
    "by": _people,
    "created": lambda _: WHEN,
    "started": lambda _: WHEN,
    "finished": lambda _: WHEN,
    "priority": lambda _: (">0", "<0", "0"),
    "ran": lambda _: (">1s", ">10s", ">1min", ">1h", "<1s"),
}
