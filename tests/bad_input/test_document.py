"""docs/bad-input.md and docs/security-tests.md name tests for each of their lines, and what they name is there."""

import re

import pytest

from tests.fixtures.processes import ROOT

# How many lines there are, so that none is lost at the end, either.
DOCUMENTS = {"docs/bad-input.md": 80, "docs/security-tests.md": 35}
ROW = re.compile(r"\| S?(\d+) \| (.+) \| (.+) \| (.+) \|")
TEST = re.compile(r"`(\w+/\S+::test_\w+)`")
FILE = re.compile(r"`((?:apps|site|sink|workers|templates|static|tests|bin|docs|\.ci)/[\w./-]+)`")


def rows(document: str) -> list[tuple[str, ...]]:
    """Number, what is said in two columns, and the tests."""
    return [match.groups() for match in map(ROW.fullmatch, (ROOT / document).read_text().splitlines()) if match]


@pytest.mark.parametrize("document", DOCUMENTS)
def test_no_number_is_left_out(document: str) -> None:
    assert [int(number) for number, *_ in rows(document)] == list(range(1, DOCUMENTS[document] + 1))


@pytest.mark.parametrize("document", DOCUMENTS)
def test_each_line_leads_to_a_test_that_is_there(document: str) -> None:
    named: dict[int, set[str]] = {}
    for number, (_, _, _, tests) in enumerate(rows(document), 1):
        named[number] = set(TEST.findall(tests))
        if tests.startswith("the same"):
            named[number] |= named[number - 1]
        for other in re.findall(r"\bas (\d+)", tests):
            named[number] |= named[int(other)]
        assert named[number] or tests.startswith("none: "), number
    assert [test for tests in named.values() for test in tests if not is_there(test)] == []


@pytest.mark.parametrize("document", DOCUMENTS)
def test_each_file_that_is_named_is_there(document: str) -> None:
    assert [name for name in FILE.findall((ROOT / document).read_text()) if not (ROOT / name).exists()] == []


def is_there(test: str) -> bool:
    path, _, name = test.partition("::")
    return f"\ndef {name}(" in (ROOT / "tests" / path).read_text()


def test_whom_to_tell_and_which_versions_are_mended_is_said() -> None:
    said = (ROOT / "SECURITY.md").read_text()
    for part in ("Reporting", "Supported versions"):
        assert re.search(rf"^## {part}\n\n\w.{{40}}", said, re.MULTILINE), part
