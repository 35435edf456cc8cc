"""The forms of the page of people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django import forms
from django.contrib.auth.forms import UsernameField
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError

from apps.accounts import roles
from apps.accounts.permissions import OPERATE, RUN_CODE
from apps.accounts.roles import Role

if TYPE_CHECKING:
    from django.http import QueryDict

MEANS: Final = {
    Role.VIEWER: "Viewer: sees everybody's tasks, changes nothing",
    Role.MEMBER: "Member: creates tasks, sees and changes their own",
    Role.OPERATOR: "Operator: sees and changes everybody's tasks, pauses queues, drains workers",
    Role.ADMINISTRATOR: "Administrator: all of it, and people",
}


class RoleForm(forms.Form):
    """A role, and what goes beside it. A viewer has nothing beside it; an administrator needs nothing."""

    role = forms.ChoiceField(
        choices=MEANS.items(),
        initial=Role.MEMBER,
        widget=forms.RadioSelect,
        error_messages={"required": "Choose a role."},
    )
    run_code = forms.BooleanField(required=False, label="May run code that they write")
    operate = forms.BooleanField(required=False, label="May pause, limit and purge queues, drain and stop workers")

    def __init__(self, typed: QueryDict | None = None, *, user: User | None = None) -> None:
        given = {"role": roles.of(user), **_extras(user)} if user else {}
        super().__init__(typed, initial=given, auto_id="person_%s", label_suffix="")

    def clean(self) -> dict[str, Any]:
        if self.cleaned_data.get("role") == Role.VIEWER and self.extras:
            raise ValidationError("A viewer changes nothing: leave both boxes empty, or choose another role.")
        return self.cleaned_data

    @property
    def chosen(self) -> Role:
        return Role(self.cleaned_data["role"])

    @property
    def extras(self) -> list[str]:
        return [name for field, name in _FIELDS.items() if self.cleaned_data.get(field)]


class AddForm(RoleForm):
    """Somebody new."""

    username = UsernameField(
        max_length=150,
        label="Name",
        help_text="With which they sign in.",
        validators=[User.username_validator],
        error_messages={"required": "Give the person a name."},
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none"}),
    )
    field_order = ("username", "role", "run_code", "operate")

    def clean_username(self) -> str:
        name: str = self.cleaned_data["username"]
        if User.objects.filter(username__iexact=name).exists():
            raise ValidationError(f"There is somebody called {name} already.")
        return name


_FIELDS: Final = {"run_code": RUN_CODE, "operate": OPERATE}


def _extras(user: User) -> dict[str, bool]:
    given = roles.extras_of(user)
    return {field: name.split(".")[1] in given for field, name in _FIELDS.items()}
