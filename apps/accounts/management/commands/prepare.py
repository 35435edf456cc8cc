"""Brings the database up to date and makes the accounts that a start needs; a second time it finds nothing to do."""

from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.core.management.base import OutputWrapper
from django.db import transaction

from apps.accounts import tokens
from apps.accounts.management.one_line import OneLineCommand
from apps.accounts.permissions import Scope


class Command(OneLineCommand):
    help = "Migrate; make the superuser admin if there is no user, and the sink's and worker's tokens valid."

    def handle(self, *args: Any, **_options: Any) -> None:
        call_command("migrate", interactive=False, verbosity=0)
        with transaction.atomic():
            _make_accounts(self.stderr)


def _make_accounts(said: OutputWrapper) -> None:
    users = get_user_model().objects
    if not users.exists():
        users.create_superuser("admin")  # without a password none can sign in with one
    for scope, secret in ((Scope.SINK, "sink_token"), (Scope.WORKER, "worker_token")):
        if text := settings.SECRETS.get(secret):
            token = tokens.accept(text, scope=scope, name=f"the {scope} of secrets.json")
            if token.revoked_at:
                said.write(f"warning: the {scope}'s token {token} is revoked: run ./manage.py rotate {scope}")
