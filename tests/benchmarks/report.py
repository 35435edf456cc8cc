"""What every benchmark tells: tables, printed row by row as it measures, and the same as JSON for `--json FILE`."""

import argparse
import json
import os
import platform
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

Cell = str | float | None


def parser(doc: str | None) -> argparse.ArgumentParser:
    """With what all benchmarks take; the first line of `doc` describes this one."""
    made = argparse.ArgumentParser(description=(doc or "").split("\n")[0])
    made.add_argument("--json", type=Path, metavar="FILE", help="write what was measured there as well")
    return made


class Report:
    """Tables in Markdown on the standard output; `save` writes all of them."""

    def __init__(self, name: str, options: argparse.Namespace) -> None:
        self._name = name
        self._options = options
        self._tables: list[dict[str, Any]] = []
        self._widths: list[int] = []
        self._load = os.getloadavg()[0]

    def table(self, title: str, *columns: str) -> None:
        """Begins another one."""
        self._tables.append({"title": title, "columns": columns, "rows": []})
        self._widths = [max(len(column), 9 if nth else 24) for nth, column in enumerate(columns)]
        print(f"\n{title}\n")
        self._print(columns)
        self._print(["-" * width for width in self._widths])

    def row(self, *cells: Cell) -> None:
        """Of the newest table."""
        self._tables[-1]["rows"].append(list(cells))
        self._print([shown(cell) for cell in cells])

    def save(self) -> None:
        load = {"at the start": self._load, "at the end": os.getloadavg()[0]}
        print(f"\nload {self._load:.1f} at the start, {load['at the end']:.1f} at the end", flush=True)
        if self._options.json:
            told = {
                "benchmark": self._name,
                "options": {name: str(value) for name, value in vars(self._options).items() if name != "json"},
                "machine": {"cpus": os.cpu_count(), "load": load, "python": platform.python_version()},
                "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
                "tables": self._tables,
            }
            self._options.json.write_text(json.dumps(told, indent=1) + "\n")

    def _print(self, cells: Sequence[str]) -> None:
        # The first column is a name, the others mostly numbers.
        aligned = [
            cell.rjust(width) if nth else cell.ljust(width)
            for nth, (cell, width) in enumerate(zip(cells, self._widths, strict=True))
        ]
        print(f"| {' | '.join(aligned)} |", flush=True)


def shown(cell: Cell) -> str:
    """With three digits that mean something."""
    if cell is None:
        return "-"
    if isinstance(cell, str | int):
        return f"{cell:,}" if isinstance(cell, int) else cell
    digits = 0 if abs(cell) >= 100 else 1 if abs(cell) >= 10 else 2
    return f"{cell:,.{digits}f}"
