"""The beginning of a file of comma-separated values as a table of HTML, whatever is in it."""

from __future__ import annotations

import csv
import io
import re
from itertools import islice
from typing import TYPE_CHECKING

from django.utils.html import escape

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

READ_BYTES = 262_144
MOST_ROWS = 200
MOST_COLUMNS = 50
MOST_CHARACTERS = 200  # of a cell
_SEPARATORS = "\t;,|"
_NUMBER = re.compile(r"\s*[+-]?(\d[\d ,.']*|\.\d+)(e[+-]?\d+)?\s*%?\s*", re.ASCII | re.IGNORECASE)


def table(data: bytes) -> str:
    """`data`: at most READ_BYTES; of so many the last row is not whole."""
    rows, is_cut = _rows(_text(data))
    if len(data) >= READ_BYTES:
        rows, is_cut = rows if is_cut else rows[:-1], True
    if not rows:
        return "<p>There are no rows in it.</p>"
    columns = max(map(len, rows))
    shown = [f"the first {len(rows):,} rows"] if is_cut else []
    shown += [f"the first {MOST_COLUMNS} of {columns:,} columns"] if columns > MOST_COLUMNS else []
    note = f"<p>Here are {' and '.join(shown)}; download it for the rest.</p>" if shown else ""
    head, *body = [row[:MOST_COLUMNS] for row in rows]
    numbers = {place for place, cell in enumerate(body[0] if body else ()) if _NUMBER.fullmatch(cell[:MOST_CHARACTERS])}
    below = "".join(_row(row, "td", numbers) for row in body)
    return f"{note}<table><thead>{_row(head, 'th', numbers)}</thead><tbody>{below}</tbody></table>"


def _text(data: bytes) -> str:
    encoding = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    return data.decode(encoding, errors="replace")


def _rows(text: str) -> tuple[list[list[str]], bool]:
    """And whether there are more."""
    first = text.partition("\n")[0]
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=max(_SEPARATORS, key=first.count))
    rows: list[list[str]] = []
    try:
        rows.extend(row for row in islice(lines, MOST_ROWS + 1) if row)
    except csv.Error:
        return rows, True  # a field that is longer than any that is meant to be one
    return rows[:MOST_ROWS], len(rows) > MOST_ROWS


def _row(cells: Sequence[str], tag: str, numbers: Collection[int]) -> str:
    """`numbers`: the columns of such."""
    return f"<tr>{''.join(_cell(cell, tag, is_text=place not in numbers) for place, cell in enumerate(cells))}</tr>"


def _cell(text: str, tag: str, *, is_text: bool) -> str:
    short = text if len(text) <= MOST_CHARACTERS else f"{text[:MOST_CHARACTERS]}…"
    return f"<{tag}{' class=text' if is_text else ''}>{escape(short)}</{tag}>"
