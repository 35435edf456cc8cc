"""Commands whose mistakes are one line, `error: ...`, with exit code 2."""

import sys
from argparse import ArgumentParser
from typing import Any, NoReturn

from django.core.management.base import BaseCommand


class OneLineCommand(BaseCommand):
    """Starts without the system checks: they import every address and schema, and bin/dev waits for these commands."""

    requires_system_checks = ()

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> Any:
        parser = super().create_parser(prog_name, subcommand, **kwargs)
        vars(parser)["error"] = refuse
        return parser

    def add_acts(self, parser: ArgumentParser, names: str) -> Any:
        return parser.add_subparsers(dest="act", metavar=names, required=True, parser_class=_OneLineParser)


class _OneLineParser(ArgumentParser):
    def error(self, message: str) -> NoReturn:
        refuse(message)


def refuse(message: str) -> NoReturn:
    sys.stderr.write(f"error: {message}\n")
    raise SystemExit(2)
