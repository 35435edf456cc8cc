"""The one way into the audit log: `note`, called by a service in the transaction of what it does."""

from __future__ import annotations

import getpass
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from django.db import connection

from apps.audit import origins
from apps.audit.models import NAME_LENGTH, OBJECT_LENGTH, TEXT_LENGTH, Entry, Result, Way

if TYPE_CHECKING:
    from collections.abc import Iterator

    from apps.accounts.permissions import Person

COLUMNS = ("person", "name", "act", "object", "count", "details", "result", "way", "token", "address")
# Through a model's instance it would take three times as long, which is felt where one task is created.
INSERT = f"INSERT INTO {Entry._meta.db_table} ({', '.join(COLUMNS)}) VALUES ({', '.join(['%s'] * len(COLUMNS))})"  # noqa: SLF001, S608

_covered: ContextVar[bool] = ContextVar("covered", default=False)


def note(
    act: str,
    what: str = "",
    *,
    user: Person | None = None,
    count: int = 1,
    details: str = "",
    result: Result = Result.DONE,
) -> None:
    """Says that this was done, by whom the request is from unless `user` says.

    `what`: such as "task 12"; of several the first, with their `count`.
    """
    if not is_covered():
        row = values(act, what, user=user, count=count, details=details, result=result)
        with connection.cursor() as cursor:
            cursor.execute(INSERT, [row[column] for column in COLUMNS])


def values(
    act: str, what: str = "", *, user: Person | None, count: int = 1, details: str = "", result: Result
) -> dict[str, Any]:
    """The columns of an entry by the one that the request is from."""
    origin = origins.current()
    person, name = _who(user or origin.person, origin)
    return {
        "person": person,
        "name": visible(name)[:NAME_LENGTH],
        "act": act,
        "object": visible(what)[:OBJECT_LENGTH],
        "count": count,
        "details": visible(details)[:TEXT_LENGTH],
        "result": str(result),  # plain texts, which both databases take
        "way": str(origin.way),
        "token": origin.prefix,
        "address": origin.address,
    }


def is_covered() -> bool:
    """Whether this is part of an act that has been noted as a whole."""
    return _covered.get()


@contextmanager
def covered() -> Iterator[None]:
    """What is done within is part of an act that has been noted as a whole."""
    before = _covered.set(True)
    try:
        yield
    finally:
        _covered.reset(before)


def visible(text: str) -> str:
    """On one line, with nothing that a terminal or a browser would obey: newlines, escapes, marks of direction."""
    return text if text.isprintable() else "".join(each if each.isprintable() else _escaped(each) for each in text)


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode()


def _who(person: Person | None, origin: origins.Origin) -> tuple[int | None, str]:
    if person is not None and person.pk is not None:
        return person.pk, person.get_username()
    if origin.token:
        return None, origin.token.name
    return None, _in_shell() if origin.way == Way.COMMAND else ""


def _in_shell() -> str:
    try:
        return f"{getpass.getuser()} (shell)"
    except (KeyError, OSError):  # a user without a name
        return "(shell)"
