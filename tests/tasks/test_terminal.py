"""Printed text as a terminal shows it."""

import pytest

from apps.tasks.terminal import Run, closed_lines, runs, screen


def out(text: str) -> list[tuple[str, str]]:
    return [("stdout", text)]


@pytest.mark.parametrize(
    ("printed", "shown"),
    [
        ("one\ntwo\n", "one\ntwo\n"),
        ("one\r\ntwo\r\n", "one\ntwo\n"),
        (" 10%|#  |\r 50%|## |\r100%|###|\n", "100%|###|\n"),
        ("50%\r", "50%\n"),
        ("\x1b[1;32mgreen\x1b[0m\n", "green\n"),
        ("\x1b]0;a title\x07text\x1b[2K\x1b[1A\n", "text\n"),
        ("\x1b]8;;https://x\x1b\\link\x1b]8;;\x1b\\\n", "link\n"),
        ("begun \x1b[3", "begun \n"),
        ("bell\x07 and\x08 null\x7f\n", "bell and null\n"),
        ("\ttab\n\n\nend", "\ttab\n\n\nend\n"),
        ("<b>&amp;</b>\n", "<b>&amp;</b>\n"),
        ("", ""),
    ],
)
def test_text_as_a_terminal_shows_it(printed: str, shown: str) -> None:
    assert "".join(run.text for run in runs(out(printed))) == shown


def test_lines_of_one_stream_stand_together() -> None:
    parts = [("stdout", "a\nb"), ("stderr", "err\n"), ("stderr", "more\n"), ("stdout", "c\n")]
    assert runs(parts) == [Run("stdout", "a\nb\n"), Run("stderr", "err\nmore\n"), Run("stdout", "c\n")]


@pytest.mark.parametrize("cut", range(24))
def test_what_is_appended_makes_the_same_screen(cut: int) -> None:
    text = "one\n 10%\r 20%\r\nthree\nfo\x1b[0mur"
    parts = [*out(text[:cut]), ("stderr", "err\n"), *out(text[cut:])]
    for known in range(len(parts)):
        before = parts[:known]
        first = screen(before)
        then = screen(parts, after=closed_lines(before))
        appended = "".join(run.text for run in [*first.runs, *then.runs]) + (then.open.text if then.open else "")
        assert appended + "\n" * bool(then.open) == "".join(run.text for run in runs(parts))


def test_the_last_line_stays_open_until_it_ends() -> None:
    assert screen(out("one\ntwo")).open == Run("stdout", "two")
    assert screen(out("one\n")).open is None
    assert screen([*out("two"), ("stderr", "x")]).runs == [Run("stdout", "two\n")]
