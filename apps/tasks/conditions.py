"""What the terms of a search ask of a task, as conditions of the database."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial, reduce
from typing import TYPE_CHECKING, Any, Final

from django.contrib.auth.models import User
from django.db.models import OuterRef, Q, Subquery, TextField
from django.db.models import Value as Constant
from django.db.models.functions import Coalesce, Concat

from apps.tasks.folding import folded, holds
from apps.tasks.lifecycle import Status
from apps.tasks.models import Attempt, Kind, Task
from apps.tasks.search import ME
from apps.tasks.search_values import NAN, Span
from apps.tasks.since import spanned
from workers.messages import BIGGEST_ID

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from apps.accounts.permissions import Person
    from apps.tasks.search import Query, Term
    from apps.tasks.search_values import Value

LOOKUPS: Final = {
    "name": "name__icontains", "queue": "queue__iexact", "worker": "worker__icontains", "reason": "reason",
    "started": "started_at", "finished": "finished_at", "ran": "run_seconds", "value": "value",
    "created": "created_at", "number": "pk", "priority": "priority",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """All must hold. None: any will do. `span`: of numbers and times of creation. `by_row`: what no index answers."""

    statuses: frozenset[str] | None
    kinds: frozenset[str] | None
    owners: frozenset[int] | None
    span: Q
    by_row: tuple[Q, ...]

    @property
    def indexed(self) -> Q:
        """All but `by_row`."""
        named = {"status__in": self.statuses, "kind__in": self.kinds, "created_by__in": self.owners}
        return Q(**{lookup: sorted(wanted) for lookup, wanted in named.items() if wanted is not None}) & self.span


def conditions(query: Query, user: Person) -> Conditions:
    """`user`: whoever asks."""
    spans = [term for term in query.terms if term.field in {"created", "number"} and not term.negated]
    return Conditions(
        statuses=_statuses(query),
        kinds=_wanted(query, "kind", _kinds),
        owners=_wanted(query, "by", partial(_owners, user)),
        span=reduce(lambda found, term: found & _spanned(term), spans, Q()),
        by_row=tuple(_by_row(query, user)),
    )


def _statuses(query: Query) -> frozenset[str] | None:
    """A field of few values: what is not asked for is as good as what is."""
    if not (query.of("status") or [term for term in query.of("error") if not term.negated]):
        return None
    left = set(Status.values)
    for term in query.of("status"):
        left = left - set(term.words) if term.negated else left & set(term.words)
    if any(not term.negated for term in query.of("error")):
        left &= {Status.FAILED}
    return frozenset(left)


def _wanted(query: Query, field: str, find: Callable[[Term], Iterable[Any]]) -> frozenset[Any] | None:
    found = [frozenset(find(term)) for term in query.of(field) if not term.negated]
    return reduce(frozenset.intersection, found) if found else None


def _kinds(term: Term) -> set[str]:
    """Each by its name, else all whose names hold it; a name of none stands for itself."""
    known = list(Kind.objects.values_list("name", flat=True))
    found: set[str] = set()
    for word in term.words:
        exact = {kind for kind in known if kind.lower() == word.lower()}
        found |= exact or {kind for kind in known if word.lower() in kind.lower()} or {word}
    return found


def _owners(user: Person, term: Term) -> set[int]:
    names = _any(folded("username__iexact", word) for word in term.words)
    found = dict(User.objects.filter(names).values_list("pk", "username"))
    if user.pk and ME in {word.lower() for word in term.words} and ME not in {name.lower() for name in found.values()}:
        return {*found, user.pk}
    return set(found)


def _by_row(query: Query, user: Person) -> Iterable[Q]:
    for term in query.terms:
        if term.field == "status" or (term.field in {"kind", "by", "created", "number"} and not term.negated):
            continue
        found = _row(term, user)
        yield ~found if term.negated else found


def _row(term: Term, user: Person) -> Q:
    match term.field:
        case "":
            return _any(_word(word) for word in term.words)
        case "error":
            return _any(_error(word) for word in term.words) & Q(status=Status.FAILED)
        case "kind":
            return Q(kind__in=sorted(_kinds(term)))
        case "by":
            return Q(created_by__in=sorted(_owners(user, term)), created_by__isnull=False)
        case "value":
            return _any(Q(value_text=NAN) if value == NAN else _value("value", value) for value in term.values)
        case field:
            return _any(_value(LOOKUPS[field], value) for value in term.values)


def _word(word: str) -> Q:
    digits = word.removeprefix("#")
    number = int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 20 else 0
    return folded("name__icontains", word) | (Q(pk=number) if 0 < number <= BIGGEST_ID else Q())


def _error(word: str) -> Q:
    last = Attempt.objects.filter(task=OuterRef("pk"), number=OuterRef("attempt")).order_by()
    # Not by EXISTS: PostgreSQL may choose to answer that from all attempts there are.
    said = Subquery(
        last.values(said=Concat("error_type", Constant(" "), "error_message", output_field=TextField()))[:1]
    )
    return Q(reason__icontains=word) | holds(Coalesce(said, Constant(""), output_field=TextField()), word)


def _value(column: str, value: Value) -> Q:
    if isinstance(value, Span):
        return Q(**{f"{column}__{lookup}": bound for lookup, bound in value.bounds})
    return folded(column, value) if isinstance(value, str) else Q(**{column: value})


def _spanned(term: Term) -> Q:
    if term.field != "created":
        return _any(_value(LOOKUPS[term.field], value) for value in term.values)
    spans = [value for value in term.values if isinstance(value, Span)]
    return _any(spanned(Task, "created_at", span.bounds) for span in spans)


def _any(conditions: Iterable[Q]) -> Q:
    found = Q()
    for condition in conditions:
        found |= condition
    return found
