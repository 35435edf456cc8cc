"""Files of comma-separated values as tables."""

import re

import pytest

from apps.tasks.csv_sheet import MOST_CHARACTERS, READ_BYTES, table


def cells(html: str) -> list[list[str]]:
    rows = re.findall(r"<tr>(.*?)</tr>", html, re.DOTALL)
    return [re.findall(r"<t[hd](?: class=text)?>(.*?)</t[hd]>", row, re.DOTALL) for row in rows]


@pytest.mark.parametrize(
    ("data", "rows"),
    [
        (b"a,b\n1,2\n", [["a", "b"], ["1", "2"]]),
        ("\ufeffgröße;b\r\n1,5;2\r\n".encode(), [["größe", "b"], ["1,5", "2"]]),
        (b"a\tb,c\n1\t2", [["a", "b,c"], ["1", "2"]]),
        ("a,b\n".encode("utf-16"), [["a", "b"]]),
        (b'a,"b ""x"",\ny"\n\n1', [["a", "b &quot;x&quot;,\ny"], ["1"]]),
        (b"<script>,&", [["&lt;script&gt;", "&amp;"]]),
        (b"\x00\xff,\x1b", [["\x00\ufffd", "\x1b"]]),
        (b'a,"never closed', [["a", "never closed"]]),
    ],
)
def test_rows_are_told_apart_as_they_were_meant(data: bytes, rows: list[list[str]]) -> None:
    assert cells(table(data)) == rows


def test_of_many_rows_and_columns_the_first_are_shown_and_that_is_said() -> None:
    html = table(b"\n".join([b"x," * 59 + b"y"] * 300))
    assert "Here are the first 200 rows and the first 50 of 60 columns; download it for the rest." in html
    assert [len(row) for row in cells(html)] == [50] * 200


def test_what_is_read_but_in_part_ends_with_a_whole_row() -> None:
    row = b"%d," % 10**99 + b"x" * 5_000 + b"\n"
    html = table((row * 100)[:READ_BYTES])
    assert len(cells(html)) == READ_BYTES // len(row)
    assert "the first 51 rows" in html
    assert "x" * MOST_CHARACTERS + "…" in html


def test_what_is_no_table_is_one_of_nothing() -> None:
    assert table(b"") == table(b"\n\n") == "<p>There are no rows in it.</p>"
    assert "There are no rows" in table(b'"' + b"x" * 200_000)
    assert "There are no rows" in table(b"x" * READ_BYTES)
