"""The create form, made from a kind's JSON Schema, and the selection of a table; both translate for the services."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, tzinfo
from typing import TYPE_CHECKING
from uuid import uuid4
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django import forms

from apps.tasks import keys, services
from apps.tasks.checks import form_schema
from apps.tasks.clock import database_now
from apps.tasks.drafts import Draft, Problem, Refused, cleaned
from apps.tasks.params import LEFT_OUT, FloatParam, IntegerParam, TextParam, leftover_field, param_field
from apps.tasks.table import number

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from django.contrib.auth.models import User
    from django.forms.boundfield import BoundField
    from django.http import QueryDict

    from apps.tasks.models import Kind, Task

OPTIONS = ("run_at", "timeout_seconds", "max_attempts")
PARAM = "p."  # begins the names of the fields that are the kind's parameters


class TaskForm(forms.Form):
    """A task to be. `typed` fills it in: a link's query, or what was posted, then with `bound`.

    `like`: the task whose name, kind, parameters and limits stand there until something else is typed. A form that is
    sent twice makes one task; when that was changed in between, `made` is the task of the first time.
    """

    made: Task | None = None

    name = TextParam(widget=forms.TextInput(attrs={"autocomplete": "off", "required": True}))
    kind = TextParam(widget=forms.Select)
    run_at = TextParam(
        strip=True,
        label="Not before",
        help_text="It waits until then. Empty: as soon as a worker is free.",
        widget=forms.DateTimeInput(attrs={"type": "datetime-local", "step": "1"}),
    )
    zone = TextParam(initial="UTC", widget=forms.HiddenInput)
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
        self, kinds: Mapping[str, Kind], typed: QueryDict, *, bound: bool = False, like: Task | None = None
    ) -> None:
        given: dict[str, object] = {"idempotency_key": str(uuid4()), **(_as_in(like, kinds) if like else {})}
        self.unseen = bound and _has_unseen_params(typed, kinds)
        bound = bound and not self.unseen
        given |= typed.dict()
        super().__init__(typed if bound else None, initial=given, label_suffix="")
        self.kinds, self.typed = kinds, typed
        self.chosen = kinds.get(str(given.get("kind", ""))) or (None if bound else next(iter(kinds.values()), None))
        self.fields["kind"].widget.choices = [(name, name) for name in self._choices(kinds, typed)]
        if self.chosen:
            self._show_limits(self.chosen)
        self._add_params(like.params if like else {})
        if bound:
            # Left over from another kind or an older form of it: the service refuses it, and what was typed stays.
            for name in [name for name in typed if name.startswith(PARAM) and name not in self.fields]:
                self.fields[name] = leftover_field(name.removeprefix(PARAM))

    @property
    def param_fields(self) -> list[BoundField]:
        return [self[name] for name in self.fields if name.startswith(PARAM)]

    @property
    def has_options(self) -> bool:
        """Whether there is anything to see among those that are folded away."""
        return any(self[name].errors or self[name].value() for name in OPTIONS)

    def save(self, user: User) -> Task | None:
        """The created task; None when something is wrong, which then stands beside its field."""
        readable = self.is_valid()
        draft = self._draft() if readable else self._draft_without_params()
        try:
            if readable:
                return services.create(user=user, draft=draft)
            # So that everything that is wrong is said at once, not field after field.
            cleaned(draft, self.kinds, database_now())
        except Refused as refused:
            for problem in refused.problems:
                if problem.field == ("idempotency_key",):
                    self._renew_key(user, draft, problem)
                elif readable or problem.field[:1] != ("params",):
                    self._refuse(problem)
        return None

    def focus(self) -> None:
        """Have the browser put the cursor into the first field that is wrong, or where the typing goes on."""
        wrong = (field for field in self if field.errors and not field.is_hidden)
        first = next(wrong, self["kind" if "kind" in self.initial else "name"])
        first.field.widget.attrs["autofocus"] = True

    def clean(self) -> None:
        try:
            self.cleaned_data["run_at"] = moment(self.cleaned_data["run_at"], self.cleaned_data["zone"])
        except ValueError as error:
            self.add_error("run_at", str(error))

    def _show_limits(self, kind: Kind) -> None:
        """What the kind gives by itself, where nothing is typed."""
        limit = "none" if kind.timeout_seconds is None else f"{kind.timeout_seconds:g}"
        self.fields["timeout_seconds"].widget.attrs["placeholder"] = limit
        self.fields["max_attempts"].widget.attrs["placeholder"] = kind.max_attempts

    def _add_params(self, chosen: Mapping[str, object]) -> None:
        schema = form_schema(self.chosen)
        required = schema.get("required", [])
        for name, part in schema.get("properties", {}).items():
            value = chosen.get(name, LEFT_OUT)
            self.fields[PARAM + name] = param_field(name, part, schema, required=name in required, chosen=value)

    def _choices(self, kinds: Mapping[str, Kind], typed: QueryDict) -> list[str]:
        """The kinds, and one that was posted although it is none of them: what was typed stays."""
        unknown = typed.get("kind", "") if self.is_bound else ""
        return [unknown, *kinds] if unknown and unknown not in kinds else list(kinds)

    def _draft(self) -> Draft:
        data = self.cleaned_data
        values = {name.removeprefix(PARAM): data[name] for name in self.fields if name.startswith(PARAM)}
        params = {name: value for name, value in values.items() if value is not LEFT_OUT}
        return replace(self._draft_without_params(), params=params, idempotency_key=data["idempotency_key"])

    def _draft_without_params(self) -> Draft:
        data = self.cleaned_data
        return Draft(
            name=data["name"],
            kind=data["kind"],
            run_at=data.get("run_at"),
            timeout_seconds=data.get("timeout_seconds"),
            max_attempts=data.get("max_attempts"),
        )

    def _renew_key(self, user: User, draft: Draft, problem: Problem) -> None:
        self.made = next(iter(keys.known(user, [draft]).values()), None)
        if not self.made:
            self.add_error(None, problem.message)
        self.data = self.typed.copy()
        self.data["idempotency_key"] = str(uuid4())

    def _refuse(self, problem: Problem) -> None:
        first, *path = problem.field or ("",)
        name = f"{PARAM}{path[0]}" if first == "params" and path else first
        place = f"{'.'.join(path[1:])}: " if path[1:] else ""
        self.add_error(name if name in self.fields else None, place + problem.message)


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
    numbers = [chosen for text in texts if (chosen := number(text))]
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
    limits = {"timeout_seconds": task.timeout_seconds, "max_attempts": task.max_attempts}
    own = {
        name: str(value).removesuffix(".0")
        for name, value in limits.items()
        if value and value != getattr(kind, name, None)
    }
    return {"name": task.name, "kind": task.kind, **own}


def _has_unseen_params(posted: QueryDict, kinds: Mapping[str, Kind]) -> bool:
    """Whether the kind was changed while the parameters of another one were shown, as happens without JavaScript."""
    kind = posted.get("kind", "")
    return kind in kinds and posted.get("shown", kind) != kind
