"""Gives the sink and the workers of this data folder other tokens; for a while the old ones are valid, too."""

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.conf import settings

from apps.accounts import tokens
from apps.accounts.management.one_line import OneLineCommand
from apps.accounts.permissions import Scope
from devstack import credentials
from devstack.screen import Stop
from workers.options import refuse

ROLES = (Scope.SINK, Scope.WORKER)
LONGEST_HOURS = 720
ANEW = {
    Scope.SINK: "Start the sink anew until then",
    Scope.WORKER: "Start the workers anew until then (or press Stop beside each on the page Workers)",
}


class Command(OneLineCommand):
    help = "Make new tokens for sink and workers in secrets.json. The old ones stay valid while these are started anew."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("which", nargs="*", metavar="sink|worker", help="whose (both)")
        parser.add_argument("--hours", metavar="N", default="24", help="how long the old one stays valid (24)")

    def handle(self, *_args: Any, which: list[str], hours: str, **_options: Any) -> None:
        roles, overlap = _roles(which), _overlap(hours)
        if not _secrets():
            refuse(f"there is no secrets.json in {settings.VAR}: make the token with ./manage.py token create")
        for role in roles:
            self.stdout.write(_rotate(role, overlap))


def _roles(names: list[str]) -> list[Scope]:
    unknown = [name for name in names if name not in ROLES]
    if unknown:
        refuse(f"only the tokens of sink and worker are rotated (got {unknown[0]!r:.50})")
    return [role for role in ROLES if not names or role in names]


def _overlap(hours: str) -> timedelta:
    if not (hours.isascii() and hours.isdigit() and len(hours) < 20 and int(hours) <= LONGEST_HOURS):
        refuse(f"--hours must be a whole number from 0 to {LONGEST_HOURS} (got {hours!r:.50})")
    return timedelta(hours=int(hours))


def _secrets() -> dict[str, Any]:
    """As they are now."""
    try:
        return credentials.read(settings.VAR)
    except Stop as stop:
        refuse(str(stop))


def _rotate(role: Scope, overlap: timedelta) -> str:
    """In this order: whatever is cut off in between, what stands in the file lets in."""
    old = _secrets()[f"{role}_token"]
    _token, new = tokens.make(user=None, scopes={role}, name=f"the {role} of secrets.json")
    credentials.put_token(settings.VAR, role, new)
    until = tokens.end_later(old, overlap)
    return f"The {role} has a new token; the old one is valid until {until:%Y-%m-%d %H:%M} UTC. {ANEW[role]}."
