"""`manage.py`'s command line: what goes wrong is one line, `error: ...`, whichever the command is."""

import re
from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.management import ManagementUtility
from django.core.management.base import BaseCommand
from django.db import DatabaseError, InterfaceError, OperationalError

from apps.accounts.management.one_line import one_line
from config import env
from workers.options import refuse

TELL_WHAT_IS_WRONG = ("doctor", "check")


def run(arguments: Sequence[str]) -> None:
    if arguments[1:2] and arguments[1] in TELL_WHAT_IS_WRONG:
        env.tolerate()
    try:
        _Utility(list(arguments)).execute()
    except (DatabaseError, InterfaceError) as error:
        said = str(error).strip().partition("\n")[0]
        if re.match(r"no such table|relation .* does not exist", said):
            refuse(f"the database{_file()} is not prepared ({said}); run ./manage.py prepare")
        # Only a plain DatabaseError is about the database itself; what is derived from it may be a fault of ours.
        if type(error) not in (DatabaseError, InterfaceError, OperationalError):
            raise
        refuse(f"the database{_file()} cannot be used: {said}")
    except OSError as error:
        if error.filename is None:
            raise
        refuse(f"{error.filename} cannot be used: {(error.strerror or str(error)).lower()}")


class _Utility(ManagementUtility):
    def fetch_command(self, subcommand: str) -> BaseCommand:
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
