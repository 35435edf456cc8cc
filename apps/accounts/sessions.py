"""Django's sessions in the database, which know here whose they are, so that a person can end their others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.db import transaction
from django.utils import timezone

from apps.audit.journal import note

if TYPE_CHECKING:
    from django.contrib.auth.models import User
    from django.contrib.sessions.base_session import AbstractBaseSession
    from django.db.models import QuerySet

    from apps.accounts.models import Session


class SessionStore(DatabaseStore):
    """What SESSION_ENGINE names."""

    @classmethod
    def get_model_class(cls) -> type[Session]:
        from apps.accounts.models import Session  # noqa: PLC0415 the models are not there yet

        return Session

    def create_model_instance(self, data: dict[str, Any]) -> AbstractBaseSession:
        session = super().create_model_instance(data)
        vars(session)["user_id"] = data.get(SESSION_KEY)
        return session


def count_others(user: User, key: str | None) -> int:
    """How many more browsers are signed in, beside the session of this key."""
    return _others(user, key).count()


def end_others(user: User, key: str | None) -> int:
    """How many it has ended."""
    with transaction.atomic():
        ended, _ = _others(user, key).delete()
        if ended:
            note("session.end", f"person {user.username}", count=ended)
    return ended


def _others(user: User, key: str | None) -> QuerySet[Session]:
    alive = SessionStore.get_model_class().objects.filter(user=user, expire_date__gt=timezone.now())
    return alive.exclude(session_key=key)
