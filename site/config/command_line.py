"""`manage.py`'s command line: what goes wrong is one line, `error: ...`, whichever the command is."""

import difflib
import errno
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import ManagementUtility, get_commands
from django.core.management.base import BaseCommand
from django.db import DatabaseError, InterfaceError, OperationalError

from apps.accounts.management.one_line import one_line
from config import env
from config.errors import first_line
from devstack import places, screen
from workers.options import refuse

TELL_WHAT_IS_WRONG = ("doctor", "check")


def run(arguments: Sequence[str]) -> None:
    if arguments[1:2] and arguments[1] in TELL_WHAT_IS_WRONG:
        env.tolerate()
    screen.open_closed()
    try:
        _execute(arguments)
    except BrokenPipeError:
        screen.say_no_more()  # `| head`: the reader has seen enough
    except (DatabaseError, InterfaceError) as error:
        said = first_line(error)
        if re.match(r"no such table|relation .* does not exist", said):
            refuse(f"the database{_file()} is not prepared ({said}); run ./manage.py prepare")
        # Only a plain DatabaseError is about the database itself; what is derived from it may be a fault of ours.
        if type(error) not in (DatabaseError, InterfaceError, OperationalError):
            raise
        refuse(f"the database{_file()} cannot be used: {_why_unable(said)}")
    except OSError as error:
        if error.errno == errno.ENOSPC and error.filename is None:
            screen.say_no_more()
            refuse("what is printed cannot be written: there is no space left")
        if error.filename is None:
            raise
        refuse(f"{error.filename} cannot be used: {(error.strerror or str(error)).lower()}")


def _execute(arguments: Sequence[str]) -> None:
    try:
        _Utility(list(arguments)).execute()
    finally:
        sys.stdout.flush()  # here, where what goes wrong with it can be told


class _Utility(ManagementUtility):
    def fetch_command(self, subcommand: str) -> BaseCommand:
        if subcommand not in (known := get_commands()):
            near = difflib.get_close_matches(subcommand, known, n=1)
            hint = f"did you mean {near[0]}?" if near else "./manage.py help lists them"
            refuse(f"there is no command {subcommand:.40}; {hint}")
        command = super().fetch_command(subcommand)
        if subcommand == "relay" and settings.ENV == "production":
            from config import connections  # noqa: PLC0415 models are there only now

            connections.refuse_old_database()
        create_parser = command.create_parser

        def create(*names: Any, **more: Any) -> Any:
            return one_line(create_parser(*names, **more))

        vars(command)["create_parser"] = create
        return command


def _file() -> str:
    database = settings.DATABASES["default"]
    return f" {database['NAME']}" if database["ENGINE"].endswith("sqlite3") else ""


def _why_unable(said: str) -> str:
    """More than SQLite says of a file that it could not even open."""
    path = Path(settings.DATABASES["default"]["NAME"])
    if said != "unable to open database file":
        return said
    if closed := places.not_open(path):
        return closed
    if not path.parent.is_dir():
        return f"there is no folder {path.parent}"
    return "it is a folder" if path.is_dir() else said
