"""Signing in with a password or a link, and out."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib.auth import login as start_session
from django.contrib.auth.views import LoginView, LogoutView
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.shortcuts import render, resolve_url
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from apps.accounts import links
from apps.accounts.forms import SignInForm

if TYPE_CHECKING:
    from django.contrib.auth.forms import AuthenticationForm
    from django.http import HttpRequest

USED = "This link has been used, or is older than 10 minutes."
ELSEWHERE = "A sign-in link works only in a browser on the machine that Millrace runs on. Sign in with a password."


class SignInView(LoginView):
    form_class = SignInForm
    template_name = "accounts/login.html"
    redirect_authenticated_user = True

    def get_context_data(self, **more: Any) -> dict[str, Any]:
        return super().get_context_data(link_command=_link_command(self.request), **more)

    def form_invalid(self, form: AuthenticationForm) -> HttpResponse:
        response = self.render_to_response(self.get_context_data(form=form), status=HTTPStatus.UNPROCESSABLE_ENTITY)
        if isinstance(form, SignInForm) and form.wait_seconds:
            response.status_code = HTTPStatus.TOO_MANY_REQUESTS
            response["Retry-After"] = form.wait_seconds
        return response


login = SignInView.as_view()
logout = require_POST(LogoutView.as_view())


def no_second_door(request: HttpRequest) -> HttpResponse:
    """In the place of the admin's own sign-in, which knows no throttle; who comes here may not use the admin."""
    raise PermissionDenied


@never_cache
def start(request: HttpRequest, token: str) -> HttpResponse:
    """Sign in by link. A look ahead (HEAD, a browser's or a chat's prefetch) does not use the link up."""
    # Django logs the path of every answer from 400 on, and here the path is the secret.
    request.path = request.path_info = request.path.removesuffix(token)
    if request.method not in ("GET", "HEAD"):
        return HttpResponseNotAllowed(["GET", "HEAD"])
    if request.method == "HEAD":
        return HttpResponse()
    if "prefetch" in request.headers.get("Sec-Purpose", request.headers.get("Purpose", "")):
        return HttpResponse(status=HTTPStatus.SERVICE_UNAVAILABLE)
    if not links.from_this_machine(request):
        return _refused(request, ELSEWHERE, HTTPStatus.FORBIDDEN)
    user = links.use(token)
    if user is None:
        return _refused(request, USED, HTTPStatus.GONE)
    start_session(request, user, backend="django.contrib.auth.backends.ModelBackend")
    return HttpResponseRedirect(resolve_url(settings.LOGIN_REDIRECT_URL), status=HTTPStatus.SEE_OTHER)


def _refused(request: HttpRequest, problem: str, status: HTTPStatus) -> HttpResponse:
    context = {"problem": problem, "used": problem == USED, "link_command": _link_command(request)}
    return render(request, "accounts/start.html", context, status=status)


def _link_command(request: HttpRequest) -> str:
    """The folder's path is for who is on the machine anyway."""
    return links.command() if links.from_this_machine(request) else "./manage.py link"
