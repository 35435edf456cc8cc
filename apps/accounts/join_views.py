"""An invitation: whoever holds it chooses a password, and is signed in."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from django.conf import settings
from django.contrib.auth import login as start_session
from django.db import transaction
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render, resolve_url
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from apps.accounts import links
from apps.accounts.forms import FirstPasswordForm

if TYPE_CHECKING:
    from django.contrib.auth.models import User
    from django.http import HttpRequest

OVER = "This invitation has been used, or is older than three days. Ask whoever sent it for another one."


@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def join(request: HttpRequest, token: str) -> HttpResponse:
    """Looking at it uses nothing up: chats and mail programs do so before a person does."""
    # Django logs the path of every answer from 400 on, and here the path is the secret.
    request.path = request.path_info = request.path.removesuffix(token)
    user = links.invited(token)
    if user is None:
        return _over(request)
    form = FirstPasswordForm(user, request.POST if request.method == "POST" else None)
    if not form.is_valid():
        status = HTTPStatus.UNPROCESSABLE_ENTITY if form.is_bound else HTTPStatus.OK
        return render(request, "accounts/join.html", {"form": form, "person": user}, status=status)
    return _let_in(request, token, form) or _over(request)


def _let_in(request: HttpRequest, token: str, form: FirstPasswordForm) -> HttpResponse | None:
    with transaction.atomic():
        user: User | None = links.use(token, sets_password=True)
        if user is None:
            return None
        form.save()
    start_session(request, form.user, backend="django.contrib.auth.backends.ModelBackend")
    return HttpResponseRedirect(resolve_url(settings.LOGIN_REDIRECT_URL), status=HTTPStatus.SEE_OTHER)


def _over(request: HttpRequest) -> HttpResponse:
    return render(request, "accounts/start.html", {"problem": OVER, "used": False}, status=HTTPStatus.GONE)
