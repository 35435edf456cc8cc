"""docs/bad-input.md names a test for each of its lines, and the test is there."""

import re

from tests.fixtures.processes import ROOT

ROW = re.compile(r"\| (\d+) \| (.+) \| (.+) \| (.+) \|")
ROWS = [match.groups() for match in map(ROW.fullmatch, (ROOT / "docs/bad-input.md").read_text().splitlines()) if match]


def test_no_number_is_left_out() -> None:
    assert [int(number) for number, *_ in ROWS] == list(range(1, len(ROWS) + 1))


def test_each_line_leads_to_a_test_that_is_there() -> None:
    named: dict[int, set[str]] = {}
    for number, (_, _, _, tests) in enumerate(ROWS, 1):
        named[number] = set(re.findall(r"`(\w+/\S+::test_\w+)`", tests))
        if tests.startswith("the same"):
            named[number] |= named[number - 1]
        for other in re.findall(r"\bas (\d+)", tests):
            named[number] |= named[int(other)]
        assert named[number], number
    assert [test for tests in named.values() for test in tests if not is_there(test)] == []


def is_there(test: str) -> bool:
    path, _, name = test.partition("::")
    return f"\ndef {name}(" in (ROOT / "tests" / path).read_text()
