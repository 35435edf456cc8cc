"""Writes the published GraphQL schema."""

from pathlib import Path
from typing import Any

from apps.accounts.management.one_line import OneLineCommand
from config import schema

PUBLISHED = Path(schema.__file__).with_suffix(".graphql")


class Command(OneLineCommand):
    help = "Write site/config/schema.graphql from the code. Its diff is the change of the public API."

    def handle(self, *_args: Any, **_options: Any) -> None:
        PUBLISHED.write_text(schema.printed())
        self.stdout.write(f"Wrote {PUBLISHED}")
