#!/usr/bin/env python3
"""Django's door: `./manage.py <command>`, with or without the virtual environment activated."""

import importlib.util
import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent


def main() -> None:
    venv_python = ROOT / ".venv" / "bin" / "python"
    if importlib.util.find_spec("django") is None:
        if not venv_python.exists():
            sys.exit("error: Django is not installed; run bin/setup first")
        os.execv(venv_python, [str(venv_python), *sys.argv])  # noqa: S606 the same command, with the right interpreter

    sys.path[:0] = [str(ROOT), str(ROOT / "site")]
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    from config import command_line  # noqa: PLC0415 only importable now

    command_line.run(sys.argv)


if __name__ == "__main__":
    main()
