"""The create form, made from a kind's JSON Schema, and the selection of a table; both translate for the services."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from typing import TYPE_CHECKING, Any
from uuid import uuid4
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django import forms
from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import NON_FIELD_ERRORS
from django.http import QueryDict

from apps.accounts.permissions import RUN_CODE, may_create
from apps.tasks import examples, keys, services, tracebacks
from apps.tasks.checks import form_schema
from apps.tasks.clock import database_now
from apps.tasks.drafts import Draft, Problem, Refused, cleaned
from apps.tasks.inputs import ChoicesParam, FloatParam, IntegerParam, LinesParam, TextParam
from apps.tasks.param_nodes import PARAM, Choice, Leaf, field_name
from apps.tasks.param_tree import ParamTree
from apps.tasks.sentences import last_attempt
from apps.tasks.widgets import CheckedSelect, CodeInput, TypedInput
from apps.tasks.window import number_in

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from django.contrib.auth.models import User
    from django.forms.boundfield import BoundField

    from apps.accounts.permissions import Person
    from apps.tasks.examples import Example
    from apps.tasks.models import Kind, Task
    from apps.tasks.param_nodes import Group, Node

NOBODY = AnonymousUser()
OPTIONS = ("run_at", "queue", "priority", "timeout_seconds", "max_attempts")


class TaskForm(forms.Form):
    """A task to be. `typed` fills it in: a link's query, or what was posted, then with `bound`.

    `like`: the task whose name, kind, parameters and limits stand there until something else is typed. `unserved`:
    kinds that no worker serves now. `queues`: those there are. `user`: who may perhaps not have everything run.
    `origin`: the number of the task that this one is to be made from. A form that is sent twice makes one task; when
    that was changed in between, `made` is the task of the first time.
    """

    made: Task | None = None

    name = TextParam(widget=forms.TextInput(attrs={"autocomplete": "off", "required": True}))
    kind = TextParam(widget=forms.Select)
    run_at = TextParam(
        strip=True,
        label="Not before",
        help_text="It waits until then. Empty: as soon as a worker is free.",
        widget=TypedInput(attrs={"type": "datetime-local", "step": "1"}),
    )
    zone = TextParam(initial="UTC", widget=forms.HiddenInput)
    queue = TextParam(
        help_text="The line that it waits in; workers serve the queues they were started for.",
        widget=CheckedSelect,
        empty_value=None,
    )
    priority = IntegerParam(
        help_text="Of what waits in its queue the higher goes first: -100 to 100.",
        widget=forms.TextInput(attrs={"placeholder": 0}),
        empty_value=0,
    )
    timeout_seconds = FloatParam(
        label="Time limit",
        help_text="An attempt that runs longer is stopped: it has failed.",
        widget=forms.TextInput(attrs={"inputmode": "decimal"}),
        empty_value=None,
    )
    max_attempts = IntegerParam(
        label="Tries",
        help_text="After an error it is tried again until so many have failed.",
        widget=forms.TextInput(attrs={"inputmode": "numeric"}),
        empty_value=None,
    )
    idempotency_key = TextParam(widget=forms.HiddenInput, empty_value=None)

    def __init__(
        self,
        kinds: Mapping[str, Kind],
        typed: QueryDict,
        *,
        bound: bool = False,
        like: Task | None = None,
        unserved: Collection[str] = (),
        queues: Collection[str] = (),
        user: Person = NOBODY,
        origin: int | None = None,
    ) -> None:
        given: dict[str, object] = {"idempotency_key": str(uuid4()), **(_as_in(like, kinds) if like else {})}
        self.unseen = bound and _has_unseen_params(typed, kinds)
        bound = bound and not self.unseen
        given |= {name: typed[name] for name in typed if not name.startswith(PARAM)}
        super().__init__(typed if bound else None, initial=given, label_suffix="")
        self.kinds, self.typed, self.like, self.user = kinds, typed, like, user
        self.unserved, self.queues, self.origin = unserved, queues, origin
        self.open = [name for name, kind in kinds.items() if may_create(user, kind)]
        # Code is for those who ask for it: the first that comes up is a handler's.
        first = next((name for name in self.open if not kinds[name].runs_code), next(iter(self.open), ""))
        asked = str(given.get("kind", ""))
        self.chosen = kinds.get(asked) or (None if bound or asked else kinds.get(first))
        self.fields["kind"].widget.choices = [(name, self._labelled(name)) for name in self._choices(asked)]
        self.fields["queue"].widget.choices = self._lines(str(given.get("queue", "")))
        if self.chosen:
            self._show_limits(self.chosen)
        self._add_params()

    @property
    def is_link(self) -> bool:
        """Whether an address filled it in, rather than another form of the same page."""
        return not (self.is_bound or "shown" in self.typed or "choose" in self.typed)

    @property
    def is_filled_in(self) -> bool:
        """Whether an address has more to say than which kind."""
        return self.is_link and bool(self.like or set(self.typed) - {"kind"})

    @property
    def params(self) -> list[dict[str, Any]]:
        """The fields of the parameters as the page shows them: `{"field"}`, or `{"group", "nodes", ..}`.

        A group has a `tick` when it may be left out; the groups of a `choice` have a `button` each.
        """
        return self._shown([*self.tree.nodes, *self.tree.leftovers])

    @property
    def param_fields(self) -> list[BoundField]:
        return [self[name] for name in self.fields if name.startswith(PARAM)]

    @property
    def has_options(self) -> bool:
        """Whether there is anything to see among those that are folded away."""
        return any(self[name].errors or self[name].value() for name in OPTIONS)

    @property
    def examples(self) -> Sequence[Example]:
        """Code to begin with, for the fields that take some."""
        return examples.every() if self.chosen and self.chosen.runs_code else ()

    @property
    def misses_code(self) -> bool:
        """Whether this person would be offered code if it were not switched off."""
        return (
            not settings.CODE and self.user.has_perm(RUN_CODE) and any(kind.runs_code for kind in self.kinds.values())
        )

    @property
    def waits_in(self) -> str:
        """In which it will wait, as far as that can be told."""
        own = self.chosen.queue if self.chosen else ""
        asked = self["queue"].value()
        return asked if asked in self.queues else own

    @property
    def is_unserved(self) -> bool:
        return bool(self.chosen and self.chosen.name in self.unserved)

    def save(self, user: User) -> Task | None:
        """The created task; None when something is wrong, which then stands beside its field."""
        draft = self._draft(readable=self.is_valid())
        try:
            if self.is_valid():
                return services.create(user=user, draft=draft)
            # So that everything that is wrong is said at once, not field after field.
            cleaned(draft, self.kinds, database_now(), user, self.queues)
        except Refused as refused:
            for problem in refused.problems:
                if problem.field == ("idempotency_key",):
                    self._renew_key(user, draft, problem)
                else:
                    self._refuse(problem)
        return None

    def look_over(self) -> None:
        """Tells what is wrong with that which a link, or the task it is like, has filled in."""
        if not self.is_filled_in:
            return
        tried = TaskForm(self.kinds, self._as_sent(), bound=True, queues=self.queues, user=self.user)
        draft = tried._draft(readable=tried.is_valid())
        try:
            cleaned(draft, self.kinds, database_now(), self.user, self.queues)
        except Refused as refused:
            for problem in refused.problems:
                tried._refuse(problem)
        for name, errors in tried.errors.items():
            if name in self.typed or (self.like and name != "name") or name == NON_FIELD_ERRORS:
                self.errors[name] = errors

    def focus(self) -> None:
        """Have the browser put the cursor into the first field that is wrong, or where the typing goes on."""
        wrong = (field for field in self if field.errors and not field.is_hidden)
        code = (field for field in self.param_fields if self.is_filled_in and isinstance(field.field.widget, CodeInput))
        first = next(wrong, None) or next(code, self["kind" if "kind" in self.initial else "name"])
        first.field.widget.attrs["autofocus"] = True

    def clean(self) -> None:
        try:
            self.cleaned_data["run_at"] = moment(self.cleaned_data["run_at"], self.cleaned_data["zone"])
        except ValueError as error:
            self.add_error("run_at", str(error))
        for group in self.tree.groups():
            if not group.is_there(self.cleaned_data):
                for leaf in group.leaves():
                    self.errors.pop(leaf.name, None)

    def _show_limits(self, kind: Kind) -> None:
        """What the kind gives by itself, where nothing is typed."""
        limit = "none" if kind.timeout_seconds is None else f"{kind.timeout_seconds:g}"
        self.fields["timeout_seconds"].widget.attrs["placeholder"] = limit
        self.fields["max_attempts"].widget.attrs["placeholder"] = kind.max_attempts

    def _add_params(self) -> None:
        chosen = self.like.params if self.like and isinstance(self.like.params, dict) else {}
        if self.like and self.chosen and self.like.kind != self.chosen.name:
            chosen = {}
        self.tree = ParamTree(self.chosen.schema if self.chosen else {}, form_schema(self.chosen), self.typed, chosen)
        if self.is_bound or self.is_link:
            self.tree.add_leftovers(list(self.typed), chosen, refused=self.chosen is not None)
        self.fields |= self.tree.fields
        for name, field in self.tree.fields.items():
            if not self.is_bound and name in self.typed:
                listed = isinstance(field, LinesParam | ChoicesParam)
                self.initial[name] = field.from_link(self.typed.getlist(name) if listed else self.typed[name])
        for name, field in self.tree.fields.items():
            if isinstance(field.widget, CodeInput) and name not in self.typed:
                self._begin_code(name, field)

    def _begin_code(self, name: str, field: Any) -> None:
        """With the example that a link asks for; marked where the task that this one is like went wrong."""
        example = examples.find(self.typed.get("example", "")) if self.examples else None
        if self.like:
            last = last_attempt(self.like) if field.initial else None
            field.fault = tracebacks.fault(field.initial, last.traceback) if last else None
            field.widget.attrs |= {"data-faulty-line": field.fault.number} if field.fault else {}
        elif example:
            self.initial[name] = example.code
            self.initial.setdefault("name", example.title)

    def _choices(self, asked: str) -> list[str]:
        """The kinds, and the one that was asked for although it is none of them: what was typed stays."""
        return [asked, *self.open] if asked and asked not in self.open else self.open

    def _lines(self, asked: str) -> list[tuple[str, str]]:
        """That of the kind first, and not a second time unless it was asked for by its name."""
        own = self.chosen.queue if self.chosen else ""
        others = [name for name in sorted(self.queues) if name != own or name == asked]
        return [("", f"{own} (its kind's)" if own else "that of its kind"), *((name, name) for name in others)]

    def _labelled(self, kind: str) -> str:
        if kind not in self.kinds:
            return f"{kind} (there is no such kind)"
        if kind not in self.open:
            return f"{kind} (not for you)" if settings.CODE else f"{kind} (switched off here)"
        return f"{kind} (no worker serves it now)" if kind in self.unserved else kind

    def _shown(self, nodes: Sequence[Node]) -> list[dict[str, Any]]:
        return [{"field": self[node.name]} if isinstance(node, Leaf) else self._shown_group(node) for node in nodes]

    def _shown_group(self, group: Group) -> dict[str, Any]:
        shown: dict[str, Any] = {"group": group, "nodes": self._shown(group.nodes)}
        if isinstance(group, Choice):
            buttons = list(self[group.name].subwidgets)
            for model in reversed(shown["nodes"]):
                model["button"] = buttons.pop()
            return {**shown, "choice": self[group.name], "none": buttons}
        return {**shown, "tick": self[group.name] if group.decided_by == group.name else None}

    def _as_sent(self) -> QueryDict:
        """What a browser would send if nothing were typed into it."""
        sent = QueryDict(mutable=True)
        for field in self:
            value = field.value()
            if isinstance(value, list):
                sent.setlist(field.name, value)
            elif value not in (None, False):
                sent[field.name] = "on" if value is True else str(value)
        return sent

    def _draft(self, *, readable: bool) -> Draft:
        data = self.cleaned_data
        return Draft(
            name=data.get("name", ""),
            kind=data.get("kind", ""),
            params=self.tree.value(data, self.data),
            run_at=data.get("run_at"),
            queue=data.get("queue"),
            priority=data.get("priority", 0),
            timeout_seconds=data.get("timeout_seconds"),
            max_attempts=data.get("max_attempts"),
            idempotency_key=data.get("idempotency_key") if readable else None,
            cloned_from=self.origin,
        )

    def _renew_key(self, user: User, draft: Draft, problem: Problem) -> None:
        self.made = next(iter(keys.known(user, [draft]).values()), None)
        if not self.made:
            self.add_error(None, problem.message)
        self.data = self.typed.copy()
        self.data["idempotency_key"] = str(uuid4())

    def _refuse(self, problem: Problem) -> None:
        first, *path = problem.field or ("",)
        if first != "params":
            self.add_error(first if first in self.fields else None, problem.message)
            return
        path = list(self.tree.way(path, self.cleaned_data))
        if path and any(_is_on_the_way(path, name) for name in self.errors):
            return  # it could not even be read
        name, rest = self.tree.place(path)
        self.add_error(name or None, _placed(rest, problem.message, in_list=self._is_list(name)))

    def _is_list(self, name: str) -> bool:
        return isinstance(self.fields.get(name), LinesParam | ChoicesParam)


def moment(text: str, zone_name: str) -> datetime | None:
    """The time that was typed as the wall clock of a zone shows it, or with an offset of its own.

    Raises ValueError with a sentence.
    """
    if not text:
        return None
    try:
        zone: tzinfo = UTC if zone_name in ("", "UTC") else ZoneInfo(zone_name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"The time zone {zone_name!r:.60} is not known.") from None
    try:
        typed = datetime.fromisoformat(text if text.isprintable() else "")  # it would read on to a NUL only
        local = typed if typed.tzinfo else typed.replace(tzinfo=zone)
        chosen = local.astimezone(UTC)
        exists = typed.tzinfo is not None or chosen.astimezone(zone).replace(tzinfo=None) == local.replace(tzinfo=None)
    except (ValueError, OverflowError):
        raise ValueError("Not a date and time, such as 2030-01-31 14:05.") from None
    if not exists:
        raise ValueError(f"There is no such time in {zone_name}: the clocks go forward over it.")
    return chosen


def selection(texts: Sequence[str]) -> list[int]:
    """The numbers that were ticked in a table. Raises Refused."""
    numbers = [chosen for text in texts if (chosen := number_in(text))]
    if len(numbers) < len(texts):
        raise Refused([Problem(field=("number",), message="Something else than a task's number was selected.")])
    if not numbers:
        raise Refused([Problem(field=("number",), message="Choose at least one task.")])
    if len(numbers) > services.MOST_AT_ONCE:
        message = f"At most {services.MOST_AT_ONCE:,} tasks at once (there are {len(numbers):,})."
        raise Refused([Problem(field=("number",), message=message)])
    return numbers


def _as_in(task: Task, kinds: Mapping[str, Kind]) -> dict[str, object]:
    """The fields that hold what that task has and its kind does not give by itself."""
    kind = kinds.get(task.kind)
    limits = {
        "priority": task.priority,
        "timeout_seconds": task.timeout_seconds,
        "max_attempts": task.max_attempts,
    }
    own = {
        name: str(value).removesuffix(".0")
        for name, value in limits.items()
        if value and value != getattr(kind, name, None)
    }
    if task.queue != (kind and kind.queue):
        own["queue"] = task.queue
    return {"name": task.name, "kind": task.kind, **own}


def _has_unseen_params(posted: QueryDict, kinds: Mapping[str, Kind]) -> bool:
    """Whether the kind was changed while the parameters of another one were shown, as happens without JavaScript."""
    kind = posted.get("kind", "")
    return kind in kinds and posted.get("shown", kind) != kind


def _is_on_the_way(path: Sequence[str], name: str) -> bool:
    """Whether the field of this name and the place in the parameters are one, or one inside the other."""
    place = f"{field_name(path)}."
    return name.startswith(PARAM) and (place.startswith(f"{name}.") or f"{name}.".startswith(place))


def _placed(rest: Sequence[str], message: str, *, in_list: bool) -> str:
    """What is wrong, after the place inside the field's value where it is."""
    if in_list and rest and rest[0].isdigit():
        return f"Item {int(rest[0]) + 1}: {message}"
    return f"{'.'.join(rest)}: {message}" if rest else message
