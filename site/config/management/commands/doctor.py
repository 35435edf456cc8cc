"""Finds what is unsafe or broken in this installation, and says what to do about each."""

import json
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Tags, run_checks

from apps.accounts.management.one_line import OneLineCommand
from config import code_switch, connections
from config.checks import messages
from config.values import values


class Command(OneLineCommand):
    help = "Look for unsafe and broken settings; exit code 1 when there are any."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--deploy", action="store_true", help="what production needs too (as MILLRACE_ENV does)")
        parser.add_argument("--json", action="store_true", help="for programs")
        parser.add_argument("--values", action="store_true", help="where each setting came from, secrets masked")

    def handle(self, *args: Any, deploy: bool, json: bool, values: bool, **_options: Any) -> None:
        deploy = deploy or settings.ENV == "production"
        found = [*_by_checks(deploy=deploy), *messages(connections.faults_beside_database())]
        faults = [each for each in found if not each.is_silenced()]
        silenced = sorted({str(each.id) for each in found if each.is_silenced()} & set(settings.SILENCE))
        tell = self._tell_programs if json else self._tell_people
        tell(faults, silenced, with_values=values, deploy=deploy)
        if faults:
            raise SystemExit(1)

    def _tell_people(self, faults: list[CheckMessage], silenced: list[str], *, with_values: bool, deploy: bool) -> None:
        if with_values:
            width = max(len(each.name) for each in values())
            for each in values():
                self.stdout.write(f"{each.name:<{width}}  {each.shown or '(empty)'}  [{each.origin}]")
            self.stdout.write("")
        for fault in faults:
            self.stdout.write(f"{fault.id} {_level(fault)}: {fault.msg}\n    {fault.hint or ''}".rstrip())
        self.stdout.write(code_switch.sentence())
        if silenced:
            self.stdout.write(f"Silenced by MILLRACE_SILENCE: {', '.join(silenced)}")
        count = f"{len(faults)} fault{'' if len(faults) == 1 else 's'}" if faults else "No fault"
        self.stdout.write(f"{count} found{', also of those that matter in production' if deploy else ''}.")

    def _tell_programs(
        self, faults: list[CheckMessage], silenced: list[str], *, with_values: bool, deploy: bool
    ) -> None:
        told: dict[str, Any] = {
            "ok": not faults,
            "deploy": deploy,
            "faults": [
                {"id": each.id, "level": _level(each), "what": each.msg, "fix": each.hint or ""} for each in faults
            ],
            "silenced": silenced,
            "code": {"on": settings.CODE, "why": code_switch.sentence()},
        }
        if with_values:
            told["values"] = [{"name": each.name, "value": each.shown, "from": each.origin} for each in values()]
        self.stdout.write(json.dumps(told, indent=2))


def _by_checks(*, deploy: bool) -> list[CheckMessage]:
    """Those of Django and ours, the database's among them. One that is away is a finding, not an end."""
    tags = [Tags.security, "millrace"]
    return run_checks(tags=tags, include_deployment_checks=deploy, databases=["default"])


def _level(fault: CheckMessage) -> str:
    return "error" if fault.is_serious() else "warning"
