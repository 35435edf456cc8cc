"""The inputs of a queue's limits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django import forms
from django.http import QueryDict

from apps.queues import services
from apps.tasks.drafts import Refused
from apps.tasks.inputs import FloatParam, IntegerParam

if TYPE_CHECKING:
    from django.contrib.auth.models import User

    from apps.queues.limits import Limits


class LimitsForm(forms.Form):
    """Both, each of which may be none."""

    concurrency_limit = IntegerParam(
        label="At once",
        help_text="So many of its tasks are with workers at most. Empty: as many as these have slots.",
        widget=forms.TextInput(attrs={"inputmode": "numeric", "placeholder": "no limit"}),
        empty_value=None,
    )
    rate_per_minute = FloatParam(
        label="In a minute",
        help_text="So many of its tasks begin at most, evenly. Empty: as soon as they can.",
        widget=forms.TextInput(attrs={"inputmode": "decimal", "placeholder": "no limit"}),
        empty_value=None,
    )

    def __init__(self, typed: QueryDict | None, *, limits: Limits) -> None:
        rate = None if limits.per_minute is None else f"{limits.per_minute:.10g}"
        given = {"concurrency_limit": limits.at_once, "rate_per_minute": rate}
        super().__init__(typed, initial=given, label_suffix="")

    def save(self, user: User, name: str) -> Limits | None:
        """None when something is wrong, which then stands beside its field."""
        if not self.is_valid():
            return None
        try:
            return services.limit_queue(user=user, name=name, asked=self.cleaned_data)
        except Refused as refused:
            for problem in refused.problems:
                self.add_error(next(iter(problem.field), None), problem.message)
        return None
