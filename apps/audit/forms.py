"""What the audit log is searched by: person, act, object, day."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from django import forms

from apps.audit.acts import ACTS, label
from apps.audit.models import NAME_LENGTH, OBJECT_LENGTH

if TYPE_CHECKING:
    from datetime import tzinfo

    from apps.audit.models import EntryQuerySet

CHOICES = [("", "Any"), *((act, label(act)) for act in ACTS)]


class Search(forms.Form):
    """Each part is optional; one that makes no sense is told and left out."""

    person = forms.CharField(required=False, max_length=NAME_LENGTH)
    act = forms.ChoiceField(required=False, choices=CHOICES)
    object = forms.CharField(required=False, max_length=OBJECT_LENGTH)
    day = forms.DateField(
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}),
        error_messages={"invalid": "A day must look like 2026-03-01."},
    )

    def __init__(self, *args: Any, everybody: bool, **more: Any) -> None:
        super().__init__(*args, **{"auto_id": "by-%s", "label_suffix": "", **more})
        self.fields["object"].widget.attrs["placeholder"] = "task 12"
        if not everybody:
            del self.fields["person"]

    def found_in(self, entries: EntryQuerySet, zone: tzinfo) -> EntryQuerySet:
        self.full_clean()
        given = {name: value for name, value in self.cleaned_data.items() if value}
        day = given.pop("day", None)
        found = entries.about(**given)
        return found.within(_on(day, zone)) if day else found

    @property
    def parameters(self) -> dict[str, str]:
        """As they were given, for the addresses of other pages."""
        return {name: self.data[name] for name in self.fields if self.data.get(name)}


def _on(day: date, zone: tzinfo) -> list[tuple[str, datetime]]:
    """A day of the reader's."""
    begins = datetime.combine(day, time.min, zone)
    next_day = day + timedelta(days=1) if day < date.max else day
    return [("gte", begins), ("lt", datetime.combine(next_day, time.min, zone))]
