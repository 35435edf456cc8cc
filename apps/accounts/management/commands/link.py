"""Prints a fresh sign-in link; in production one that sets a password, for nobody has a browser on that machine."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import User
from django.urls import reverse

from apps.accounts import links
from apps.accounts.management.one_line import OneLineCommand
from workers.options import refuse


class Command(OneLineCommand):
    help = (
        "Print a link that signs in once, within 10 minutes, in a browser on this machine; in production one that"
        " sets a password, within three days, from anywhere."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--user", metavar="NAME", help="whom it signs in (default: the first superuser)")

    def handle(self, *args: Any, user: str | None = None, **_options: Any) -> None:
        person = _person(user)
        if settings.ENV == "production":
            self.stdout.write(f"{settings.PUBLIC_URL}{reverse('join', args=[links.invite(person)])}")
        else:
            self.stdout.write(f"http://127.0.0.1:{settings.PORT}/start/{links.make(person)}")


def _person(name: str | None) -> User:
    people = get_user_model().objects.filter(is_active=True).order_by("pk")
    # What is not printable, bytes that are no text among it, no database need be asked for.
    found = people.filter(username=name if name.isprintable() else "") if name else people.filter(is_superuser=True)
    person = found.first()
    if person is None:
        refuse(f"there is no active user {name!r}" if name else "there is no superuser yet: run ./manage.py prepare")
    return person
