"""Commands whose mistakes are one line, `error: ...`, with exit code 2."""

from argparse import ArgumentParser
from functools import partial
from typing import Any

from django.core.management.base import BaseCommand

from workers import options


class OneLineCommand(BaseCommand):
    """Starts without the system checks: they import every address and schema, and bin/dev waits for these commands."""

    requires_system_checks = ()

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> Any:
        return one_line(super().create_parser(prog_name, subcommand, **kwargs))

    def add_acts(self, parser: ArgumentParser, names: str) -> Any:
        return parser.add_subparsers(dest="act", metavar=names, required=True, parser_class=_Act)


class _Act(options.Parser):
    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Refuses what it does not know by itself: only it knows what may be meant."""
        found, unknown = super().parse_known_args(args, namespace)
        if unknown:
            self.error(f"unrecognized arguments: {' '.join(unknown)}")
        return found, unknown


def one_line(parser: ArgumentParser) -> ArgumentParser:
    vars(parser)["error"] = partial(options.refuse_arguments, parser)
    return parser
