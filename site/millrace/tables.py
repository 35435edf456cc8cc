"""Tables for people: as wide as the terminal at most, the less important columns left out where it is narrow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from millrace.terminal import plain, width_of

if TYPE_CHECKING:
    from millrace.terminal import Terminal

GAP = 2
LEAST = 8  # of a column that shrinks


@dataclass(frozen=True, kw_only=True)
class Column:
    """`shrinks`: it may be cut; `drop`: those with higher numbers are left out first, 0 never."""

    head: str
    right: bool = False
    shrinks: bool = False
    drop: int = 0


@dataclass(frozen=True)
class Cell:
    text: str
    colour: str = ""


Row = Sequence[Cell]


def lines(columns: Sequence[Column], rows: Sequence[Row], terminal: Terminal) -> list[str]:
    """The head, then a line for each row."""
    heads = [Cell(column.head, "bold") for column in columns]
    table = [heads, *([Cell(plain(cell.text), cell.colour) for cell in row] for row in rows)]
    widths = [max(width_of(row[nth].text) for row in table) for nth in range(len(columns))]
    if terminal.width is not None:
        widths = _fitted(columns, widths, terminal.width)
    return [_line(row, columns, widths, terminal) for row in table]


def duration(seconds: float | None) -> str:
    """In at most six columns; empty for None."""
    if seconds is None:
        return ""
    if seconds < 0.9995:
        return f"{seconds * 1000:.0f} ms"
    for size, unit, digits in ((60, "s", 1), (3_600, "min", 0), (86_400, "h", 0)):
        if seconds < size:
            amount = seconds / {"s": 1, "min": 60, "h": 3_600}[unit]
            return f"{amount:.{digits if amount < 10 else 0}f} {unit}"
    return f"{seconds / 86_400:.0f} d"


def since(moment: datetime | None) -> str:
    return "" if moment is None else duration(max((datetime.now(UTC) - moment).total_seconds(), 0))


def _fitted(columns: Sequence[Column], widths: Sequence[int], width: int) -> list[int]:
    """0 for those left out."""
    fitted = list(widths)
    least = [min(LEAST, own) if column.shrinks else own for column, own in zip(columns, widths, strict=True)]
    for nth in sorted(range(len(columns)), key=lambda nth: -columns[nth].drop):
        if _total([fitted[n] and least[n] for n in range(len(columns))]) <= width or not columns[nth].drop:
            break
        fitted[nth] = 0
    shrinking = [nth for nth, column in enumerate(columns) if column.shrinks and fitted[nth]]
    while (excess := _total(fitted) - width) > 0 and shrinking:
        widest = max(shrinking, key=lambda nth: fitted[nth])
        others = [fitted[nth] for nth in shrinking if nth != widest]
        by = min(excess, max(fitted[widest] - max([*others, LEAST]), 1))
        if fitted[widest] <= 1:
            break
        fitted[widest] -= by
    return fitted


def _total(widths: Sequence[int]) -> int:
    shown = [width for width in widths if width]
    return sum(shown) + GAP * (len(shown) - 1)


def _line(row: Row, columns: Sequence[Column], widths: Sequence[int], terminal: Terminal) -> str:
    cells = []
    for cell, column, width in zip(row, columns, widths, strict=True):
        if width:
            text = terminal.cut(cell.text, width)
            space = " " * (width - width_of(text))
            painted = terminal.paint(text, cell.colour)
            cells.append(space + painted if column.right else painted + space)
    return (" " * GAP).join(cells).rstrip()
