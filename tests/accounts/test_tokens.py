"""API tokens."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.core import serializers
from django.utils import timezone
from pytest_django.fixtures import DjangoAssertNumQueries

from apps.accounts import secrets_text, tokens
from apps.accounts.models import SignInLink, Token
from apps.accounts.permissions import Scope

pytestmark = pytest.mark.django_db


def test_a_token_is_found_by_its_text_and_stored_as_a_hash(alice: User) -> None:
    token, text = tokens.make(user=alice, scopes={Scope.TASKS_READ})
    assert tokens.find(text) == token
    assert token.prefix == text[:12]
    dump = serializers.serialize("json", [*Token.objects.all(), *SignInLink.objects.all()])
    assert text not in dump
    assert text[12:] not in dump


@pytest.mark.parametrize(
    ("scopes", "prefix"), [({Scope.OPS}, "mrp_"), ({Scope.SINK}, "mrs_"), ({Scope.WORKER}, "mrw_")]
)
def test_a_token_shows_what_it_is_for(scopes: set[Scope], prefix: str) -> None:
    assert tokens.make(user=None, scopes=scopes)[1].startswith(prefix)


def test_a_users_token_ends_after_90_days_and_a_processs_never(alice: User) -> None:
    ends = tokens.make(user=alice, scopes={Scope.OPS})[0].expires_at
    assert ends is not None
    assert abs(ends - timezone.now() - timedelta(days=90)) < timedelta(minutes=1)
    assert tokens.make(user=None, scopes={Scope.SINK})[0].expires_at is None


def test_unknown_revoked_and_expired_tokens_and_those_of_the_inactive_are_not_found(alice: User) -> None:
    revoked, revoked_text = tokens.make(user=alice, scopes={Scope.OPS})
    expired, expired_text = tokens.make(user=alice, scopes={Scope.OPS})
    tokens.revoke(revoked)
    Token.objects.filter(pk=expired.pk).update(expires_at=timezone.now())
    _token, inactive_text = tokens.make(user=alice, scopes={Scope.OPS})
    User.objects.filter(pk=alice.pk).update(is_active=False)
    for text in (revoked_text, expired_text, inactive_text, secrets_text.make("mrp_"), "nonsense", ""):
        assert tokens.find(text) is None


def test_a_token_is_looked_up_once_a_second(
    alice: User, monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    token, text = tokens.make(user=alice, scopes={Scope.OPS})
    assert tokens.find(text) == token
    with django_assert_num_queries(0):
        assert tokens.find(text) == token
    Token.objects.filter(pk=token.pk).update(revoked_at=timezone.now())  # by another process
    monkeypatch.setattr(tokens, "KNOWN_SECONDS", 0)  # its second is over
    assert tokens.find(text) is None


def test_a_token_that_is_revoked_here_is_forgotten_at_once(alice: User) -> None:
    token, text = tokens.make(user=alice, scopes={Scope.OPS})
    assert tokens.find(text) == token
    tokens.revoke(token)
    assert tokens.find(text) is None


def test_a_use_is_written_once_a_day(alice: User, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    token, text = tokens.make(user=alice, scopes={Scope.OPS})
    tokens.note_use(token)
    again = tokens.find(text)
    assert again is not None
    assert again.last_used_on == timezone.now().date()
    with django_assert_num_queries(0):
        tokens.note_use(again)


def test_a_text_from_elsewhere_is_accepted_again_and_again_unless_it_was_revoked() -> None:
    text = secrets_text.make("mrs_")
    for _ in range(2):
        tokens.accept(text, scope=Scope.SINK, name="the sink")
        found = tokens.find(text)
        assert found is not None
        assert found.scopes == ["sink"]
    tokens.revoke(Token.objects.get())
    tokens.accept(text, scope=Scope.SINK, name="the sink")
    assert tokens.find(text) is None


def test_a_made_up_token_costs_no_look_up(alice: User, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    _token, text = tokens.make(user=alice, scopes={Scope.OPS})
    with django_assert_num_queries(0):
        assert tokens.find(text[:4] + text[:3:-1]) is None
        assert tokens.find("mrp_guess") is None
