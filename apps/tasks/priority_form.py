"""The input of a priority, by itself."""

from django import forms

from apps.tasks import priority
from apps.tasks.inputs import IntegerParam


class PriorityForm(forms.Form):
    """One whole number within the bounds, or a sentence that says them."""

    priority = IntegerParam(
        required=True,
        initial=0,
        help_text=f"{priority.LOWEST} to {priority.HIGHEST}: the higher goes first. Only what has not begun gets it.",
        error_messages={"required": priority.OUT_OF_BOUNDS},
    )

    def clean_priority(self) -> int:
        wanted: int = self.cleaned_data["priority"]
        if not priority.is_priority(wanted):
            raise forms.ValidationError(priority.OUT_OF_BOUNDS)
        return wanted
