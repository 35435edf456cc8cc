"""Everybody's own page: what they may do, their API tokens, password and sessions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from apps.accounts import abilities, addresses, sessions, token_table, tokens
from apps.accounts.forms import FirstPasswordForm, OtherPasswordForm, TokenForm
from apps.accounts.permissions import may_revoke_all
from apps.tasks.views import next_page

if TYPE_CHECKING:
    from apps.tasks.views import SignedInRequest


@require_safe
@never_cache
def account(request: SignedInRequest) -> HttpResponse:
    return _page(request)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def make_token(request: SignedInRequest) -> HttpResponse:
    """Answered with the page itself, which shows the token this once: nothing keeps it for a page to come."""
    if request.method != "POST":  # the address of that page, opened anew
        return redirect("account")
    form = TokenForm(request.user, request.POST)
    if not form.is_valid():
        return _page(request, status=422, token_form=form)
    token, text = form.save()
    graphql = addresses.outside(request, reverse("graphql"))
    return _page(request, status=201, fresh={"token": token, "text": text, "graphql": graphql})


@require_POST
def revoke_token(request: SignedInRequest, number: int) -> HttpResponse:
    token = tokens.seen_by(request.user).filter(pk=number).first()
    if token is None:
        raise Http404
    tokens.revoke(token)
    messages.success(request, f"Token {token} is revoked: within a second nobody comes in by it.")
    return redirect(next_page(request) if "next" in request.POST else "account")


@require_safe
def all_tokens(request: SignedInRequest) -> HttpResponse:
    """Everybody's, for whoever may revoke them."""
    if not may_revoke_all(request.user):
        raise Http404
    context = {"rows": token_table.rows(tokens.seen_by(request.user)), "now": timezone.now()}
    return render(request, "accounts/tokens.html", context)


@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def change_password(request: SignedInRequest) -> HttpResponse:
    if request.method != "POST":  # the address of a page that told a mistake, opened anew
        return redirect("account")
    form = _password_form(request, request.POST)
    if not form.is_valid():
        is_throttled = form.has_error("old_password", "throttled")
        return _page(request, status=429 if is_throttled else 422, password_form=form)
    form.save()
    update_session_auth_hash(request, request.user)  # of all sessions this one alone goes on
    sessions.end_others(request.user, request.session.session_key)
    messages.success(request, "Your password is changed, and every other browser is signed out.")
    return redirect("account")


@require_POST
def end_sessions(request: SignedInRequest) -> HttpResponse:
    ended = sessions.end_others(request.user, request.session.session_key)
    said = "1 other browser is" if ended == 1 else f"{ended} other browsers are"
    messages.success(request, f"{said} signed out." if ended else "You are signed in nowhere else.")
    return redirect("account")


def _page(request: SignedInRequest, status: int = 200, **given: Any) -> HttpResponse:
    user = request.user
    context = {
        "abilities": abilities.of(user),
        "others": sessions.count_others(user, request.session.session_key),
        "rows": token_table.rows(user.api_tokens.all()),
        "now": timezone.now(),
        "sees_all_tokens": may_revoke_all(user),
        "token_form": TokenForm(user),
        "password_form": _password_form(request),
        **given,
    }
    return render(request, "accounts/account.html", context, status=status)


def _password_form(request: SignedInRequest, *typed: Any) -> FirstPasswordForm | OtherPasswordForm:
    if request.user.has_usable_password():
        return OtherPasswordForm(request.user, *typed, address=addresses.of(request))
    return FirstPasswordForm(request.user, *typed)
