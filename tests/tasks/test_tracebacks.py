"""Tracebacks: whose frames are shown, whose folded; and the faulty line of a person's code."""

import traceback

import pytest

from apps.tasks.tracebacks import fault, library_of, parts

TRACEBACK = """Traceback (most recent call last):
  File "<code>", line 3, in <module>
    solve(2)
  File "/opt/venv/lib/python3.11/site-packages/numpy/linalg/linalg.py", line 409, in solve
    r = gufunc(a, b)
        ^^^^^^^^^^^^
  File "/opt/venv/lib/python3.11/site-packages/numpy/core.py", line 1, in check
  File "/usr/lib/python3.11/json/__init__.py", line 346, in loads
    return decode(s)
  File "/home/alice/handlers.py", line 7, in mine
    raise ValueError("no\\nFile")
ValueError: no
File "x", line 1
"""
CODE = "\n".join(f"line {n}" for n in range(1, 31))


def test_library_frames_are_folded_and_one_s_own_are_not() -> None:
    found = parts(TRACEBACK)
    assert "".join(part.text for part in found) == TRACEBACK
    assert [(part.frames, part.library, part.is_own) for part in found] == [
        (0, "", False),
        (1, "", True),
        (3, "numpy, Python", False),
        (1, "", True),
        (0, "", False),
    ]


def test_a_real_traceback_keeps_its_text() -> None:
    try:
        try:
            exec(compile("import json\njson.loads('{')", "<code>", "exec"))  # noqa: S102
        except ValueError as error:
            raise RuntimeError("again") from error
    except RuntimeError:
        text = traceback.format_exc()
    assert "".join(part.text for part in parts(text)) == text
    assert [part.library for part in parts(text) if part.library] == ["Python"]
    found = fault("import json\njson.loads('{')", text)
    assert found
    assert [(line.text, line.is_faulty) for line in found.lines] == [("import json", False), ("json.loads('{')", True)]


@pytest.mark.parametrize("text", ["", "no traceback at all", "\n" * 5, '  File "x', "Crashed: killed"])
def test_what_is_no_traceback_stays_a_text(text: str) -> None:
    assert "".join(part.text for part in parts(text)) == text
    assert fault("x = 1", text) is None


def test_the_faulty_line_stands_among_its_neighbours() -> None:
    found = fault(CODE, 'Traceback:\n  File "<code>", line 20, in <module>\n')
    assert found
    assert [line.number for line in found.lines] == list(range(15, 24))
    assert [line.text for line in found.lines if line.is_faulty] == ["line 20"]
    assert found.is_cut


def test_a_syntax_error_names_its_line_too() -> None:
    found = fault("x = 1\ny ===", '  File "<code>", line 2\n    y ===\n        ^\nSyntaxError: invalid syntax\n')
    assert found
    assert found.number == 2


@pytest.mark.parametrize("line", ["0", "31", "9" * 30])
def test_a_line_that_the_code_does_not_have_is_no_fault(line: str) -> None:
    assert fault(CODE, f'  File "<code>", line {line}, in x\n') is None


@pytest.mark.parametrize(
    ("file", "library"),
    [
        ("<code>", ""),
        ("/home/alice/project/run.py", ""),
        ("/x/.venv/lib/python3.12/site-packages/pandas/core/frame.py", "pandas"),
        ("/usr/lib/python3/dist-packages/six.py", "six"),
        ("/usr/lib/python3.11/asyncio/base.py", "Python"),
        ("<frozen importlib._bootstrap>", "Python"),
        ("C:\\Python\\Lib\\site-packages\\numpy\\core.py", "numpy"),
    ],
)
def test_a_file_belongs_to_a_library_or_to_a_person(file: str, library: str) -> None:
    assert library_of(file) == library


def test_lines_are_counted_as_python_counts_them() -> None:
    found = fault("x = '\x0c\u2028'\ny()\n", '  File "<code>", line 2, in <module>\n')
    assert found
    assert [line.text for line in found.lines if line.is_faulty] == ["y()"]
