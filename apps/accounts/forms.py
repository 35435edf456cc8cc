"""The forms about accounts."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib.auth.forms import AuthenticationForm, PasswordChangeForm, SetPasswordForm
from django.core.exceptions import ValidationError

from apps.accounts import abilities, addresses, throttle, tokens
from apps.accounts.models import Token
from apps.accounts.permissions import Scope, scopes_of
from apps.tasks.sentences import duration

if TYPE_CHECKING:
    from django.contrib.auth.models import User
    from django.http import HttpRequest, QueryDict

DAYS = (7, 30, 90, 365)
USUAL_DAYS = 90
MOST_TOKENS = 50
PASSWORD_RULES = "At least 12 characters; none that many people use, none like your name."  # noqa: S105 a sentence


class SignInForm(AuthenticationForm):
    """`wait_seconds`: how long the next try has to wait; the password of this one was not looked at."""

    request: HttpRequest
    wait_seconds = 0

    def clean(self) -> dict[str, Any]:
        name, password = self.cleaned_data.get("username"), self.cleaned_data.get("password")
        if not name or not password:
            return self.cleaned_data
        address = addresses.of(self.request)
        self.wait_seconds = throttle.begin(name, address)
        if self.wait_seconds:
            raise _throttled(self.wait_seconds)
        cleaned: dict[str, Any] = super().clean()
        throttle.succeed(name, address)
        return cleaned


class TokenForm(forms.Form):
    """A new token of this person's."""

    name = forms.CharField(
        max_length=Token._meta.get_field("name").max_length,  # noqa: SLF001 documented
        label="What for",
        help_text="To know it again, such as the program or machine that uses it.",
        error_messages={"required": "Say what it is for, to know it again."},
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    scopes = forms.MultipleChoiceField(
        label="It may",
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "Choose at least one."},
    )
    days = forms.TypedChoiceField(
        choices=[(days, f"{days} days") for days in DAYS], initial=USUAL_DAYS, coerce=int, label="Valid for"
    )

    def __init__(self, user: User, typed: QueryDict | None = None) -> None:
        super().__init__(typed, auto_id="token_%s", label_suffix="")
        self.user = user
        self.fields["scopes"].choices = [(scope, abilities.SCOPES[scope]) for scope in scopes_of(user)]  # type: ignore[attr-defined]
        self.fields["scopes"].initial = [Scope.TASKS_READ]

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        if not name.isprintable():
            raise ValidationError("Control characters are not allowed in a name.")
        # The page that shows a token stands there once; loaded again it sends its form a second time.
        if tokens.valid(self.user.api_tokens.filter(name=name)).exists():
            raise ValidationError("You have a valid token of this name: revoke it first, or choose another name.")
        return name

    def clean(self) -> dict[str, Any]:
        if tokens.valid(self.user.api_tokens.all()).count() >= MOST_TOKENS:
            raise ValidationError(f"You have {MOST_TOKENS} valid tokens, which is the limit: revoke some first.")
        return self.cleaned_data

    def save(self) -> tuple[Token, str]:
        """The token, and its text, which nobody can get again."""
        chosen = self.cleaned_data
        scopes, lifetime = {Scope(each) for each in chosen["scopes"]}, timedelta(days=chosen["days"])
        return tokens.make(user=self.user, scopes=scopes, name=chosen["name"], lifetime=lifetime)


class FirstPasswordForm(SetPasswordForm):  # type: ignore[type-arg]
    """Of somebody who has none."""

    def __init__(self, user: User, *args: Any) -> None:
        super().__init__(user, *args)
        _dress(self)


class OtherPasswordForm(PasswordChangeForm):
    """In the place of the old one, which has to be told; whoever found an open browser cannot guess it here either."""

    address = ""

    def __init__(self, user: User, *args: Any, address: str = "") -> None:
        super().__init__(user, *args)
        self.address = address
        _dress(self)

    def clean_old_password(self) -> str:
        name = self.user.get_username()
        if seconds := throttle.begin(name, self.address):
            raise _throttled(seconds)
        old = super().clean_old_password()
        throttle.succeed(name, self.address)
        return old


def _dress(form: forms.Form) -> None:
    form.label_suffix, form.auto_id = "", "password_%s"
    for name, label in (("old_password", "Password until now"), ("new_password1", "New password")):
        if name in form.fields:
            form.fields[name].label = label
            form.fields[name].widget.attrs.pop("autofocus", None)
    form.fields["new_password1"].help_text = PASSWORD_RULES
    form.fields["new_password2"].label, form.fields["new_password2"].help_text = "Once more", ""


def _throttled(seconds: int) -> ValidationError:
    return ValidationError(f"Too many wrong passwords. Wait {duration(seconds)}, then try again.", code="throttled")
