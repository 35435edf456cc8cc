"""Nothing is shown to strangers: every page needs a session, except a fixed list."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.contrib.auth.views import redirect_to_login
from django.http import HttpResponse
from django.shortcuts import resolve_url
from django.utils.http import url_has_allowed_host_and_scheme

from apps.accounts import visits
from apps.accounts.links import from_this_machine

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest
    from django.http.response import HttpResponseBase

# /graphql/ and the sink's door answer the anonymous by themselves. Static files never come this far.
OPEN = frozenset({"login", "start", "join", "graphql", "healthz", "artifacts:chunks", "shared:task", "shared:file"})
OPEN_WITH_TOKEN = frozenset({"artifacts:file", "metrics"})
OPEN_ON_LOOPBACK = frozenset({"readyz"})


class RequireSignIn(LoginRequiredMiddleware):
    """Names of addresses decide, not decorators: a view cannot open itself by mistake."""

    def process_view(
        self, request: HttpRequest, view_func: Callable[..., Any], _view_args: Any, _view_kwargs: Any
    ) -> HttpResponseBase | None:
        name = request.resolver_match.view_name if request.resolver_match else ""
        if name in OPEN or (name in OPEN_ON_LOOPBACK and from_this_machine(request)):
            return None
        if name in OPEN_WITH_TOKEN and "Authorization" in request.headers:
            return None
        if request.user.is_authenticated:
            visits.go_on(request)
            return None
        if request.headers.get("HX-Request") == "true":
            return _leave_the_page(request)
        if request.method in ("GET", "HEAD"):
            return self.handle_no_permission(request, view_func)
        return redirect_to_login(_page_of(request, request.headers.get("Referer", "")))

    def get_login_url(self, _view_func: Callable[..., Any]) -> str:
        return str(settings.LOGIN_URL)  # the admin's views name a login page of their own


def _leave_the_page(request: HttpRequest) -> HttpResponse:
    """A fragment's request whose session has ended: the whole page goes to sign in, and comes back afterwards."""
    page = _page_of(request, request.headers.get("HX-Current-URL", ""))
    query = urlencode({"next": page, "ended": 1}, safe="/")
    return HttpResponse(status=401, headers={"HX-Redirect": f"{resolve_url(settings.LOGIN_URL)}?{query}"})


def _page_of(request: HttpRequest, url: str) -> str:
    """The path of the page that sent the request; a foreign address is nothing to come back to."""
    if not url_has_allowed_host_and_scheme(url, allowed_hosts={request.get_host()}):
        return resolve_url(settings.LOGIN_REDIRECT_URL)
    parts = urlsplit(url)
    return f"{parts.path}?{parts.query}" if parts.query else parts.path
