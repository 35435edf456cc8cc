"""Makes, lists and revokes API tokens."""

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import User

from apps.accounts import tokens
from apps.accounts.management.one_line import OneLineCommand
from apps.accounts.models import Token
from apps.accounts.permissions import Scope
from workers.options import refuse

MACHINE_SCOPES = {Scope.SINK, Scope.WORKER}
LONGEST_DAYS = 3_650
HEAD: tuple[str, ...] = ("PREFIX", "USER", "SCOPES", "MADE", "ENDS", "LAST USED", "NAME")


class Command(OneLineCommand):
    help = "API tokens for /graphql/: create prints one and nothing else; it is not shown again."

    def add_arguments(self, parser: ArgumentParser) -> None:
        acts = self.add_acts(parser, "create|list|revoke")
        create = acts.add_parser("create", help="make a token and print it")
        create.add_argument("--user", metavar="NAME", default="", help="whose; not needed for a sink or a worker")
        create.add_argument("--scope", metavar="S", action="append", default=[], help=f"one of {', '.join(Scope)}")
        create.add_argument("--name", metavar="TEXT", default="", help="what it is for, to know it again")
        create.add_argument("--expires-days", metavar="N", help="default 90 for a user's token, else never")
        acts.add_parser("list", help="show all tokens")
        revoke = acts.add_parser("revoke", help="end a token at once")
        revoke.add_argument("prefix", metavar="PREFIX", help="its first characters, as `token list` shows them")

    def handle(self, *args: Any, act: str, **options: Any) -> None:
        if act == "create":
            self._create(**options)
        elif act == "list":
            self._list()
        else:
            self._revoke(options["prefix"])

    def _create(self, user: str, scope: list[str], name: str, expires_days: str | None, **_options: Any) -> None:
        scopes = _scopes(scope)
        _token, text = tokens.make(
            user=_user(user, scopes), scopes=scopes, name=_name(name), lifetime=_lifetime(expires_days)
        )
        self.stdout.write(text)

    def _list(self) -> None:
        rows = [HEAD]
        rows += [_row(token) for token in Token.objects.select_related("user").order_by("pk")]
        widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
        for row in rows:
            self.stdout.write("  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip())

    def _revoke(self, prefix: str) -> None:
        # The whole token may be pasted here too.
        shown = prefix[: tokens.SHOWN_LENGTH]
        known = Token.objects.filter(prefix__startswith=shown, revoked_at=None)
        found = list(known[:2]) if shown.isascii() and shown.isprintable() and shown else []
        if len(found) != 1:
            refuse(f"{'several tokens begin' if found else 'no valid token begins'} with {shown!r}")
        tokens.revoke(found[0])
        self.stdout.write(f"Revoked {found[0]}")


def _scopes(names: list[str]) -> set[Scope]:
    unknown = [name for name in names if name not in set(Scope)]
    if unknown or not names:
        refuse(f"--scope must be one of {', '.join(Scope)} (got {', '.join(map(repr, unknown)) or 'none'})")
    return {Scope(name) for name in names}


def _user(name: str, scopes: set[Scope]) -> User | None:
    if not name and scopes <= MACHINE_SCOPES:
        return None
    if not name:
        refuse(f"--user is missing: the scopes {', '.join(sorted(scopes - MACHINE_SCOPES))} are a person's")
    people = get_user_model().objects.filter(is_active=True)
    user = people.filter(username=name).first() if name.isprintable() else None
    if user is None:
        refuse(f"there is no active user {name!r}")
    return user


def _name(text: str) -> str:
    if len(text) > 100:
        refuse(f"--name may have at most 100 characters (it has {len(text)})")
    if not text.isprintable():
        refuse(f"--name must be printable text of one line (got {text!r:.120})")
    return text


def _lifetime(days: str | None) -> timedelta | None:
    if days is None:
        return None
    if not (days.isascii() and days.isdigit() and len(days) < 20 and 1 <= int(days) <= LONGEST_DAYS):
        refuse(f"--expires-days must be a whole number from 1 to {LONGEST_DAYS} (got {days!r:.50})")
    return timedelta(days=int(days))


def _row(token: Token) -> tuple[str, ...]:
    ends = f"{token.expires_at:%Y-%m-%d}" if token.expires_at else "never"
    if (standing := tokens.standing(token)) != tokens.Standing.VALID:
        ends = standing
    used = f"{token.last_used_on}" if token.last_used_on else "never"
    owner = token.user.get_username() if token.user else "-"
    return (token.prefix, owner, " ".join(token.scopes), f"{token.created_at:%Y-%m-%d}", ends, used, token.name)
