"""The forms about accounts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib.auth.forms import AuthenticationForm
from django.core.exceptions import ValidationError

from apps.accounts import addresses, throttle
from apps.tasks.sentences import duration

if TYPE_CHECKING:
    from django.http import HttpRequest


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
            raise ValidationError(
                f"Too many wrong passwords. Wait {duration(self.wait_seconds)}, then try again.", code="throttled"
            )
        cleaned: dict[str, Any] = super().clean()
        throttle.succeed(name, address)
        return cleaned
