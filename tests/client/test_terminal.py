"""Text and tables made fit for a terminal, and what is read of a command line."""

from dataclasses import replace

import pytest
from graphql import GraphQLEnumType, build_schema

from millrace.client import ORDERS, order_field
from millrace.program import _parser
from millrace.tables import Cell, Column, duration, lines
from millrace.terminal import Terminal, harmless, plain, width_of
from tests.fixtures.processes import ROOT

WIDE = Terminal(width=None, height=24, colours=False, unicode=True)
COLUMNS = (
    Column(head="ID", right=True),
    Column(head="NAME", shrinks=True),
    Column(head="KIND", drop=2),
    Column(head="RAN", drop=1),
)
ROW = tuple(map(Cell, ("7", "a rather long name", "demo.noop", "1.5 s")))


@pytest.mark.parametrize(
    ("width", "shown"),
    [
        (None, [" 7  a rather long name  demo.noop  1.5 s"]),
        (40, [" 7  a rather long name  demo.noop  1.5 s"]),
        (39, [" 7  a rather long na…  demo.noop  1.5 s"]),
        (30, [" 7  a rathe…  demo.noop  1.5 s"]),
        (29, [" 7  a rather long name  1.5 s"]),
        (17, [" 7  a rather lon…"]),
        (6, [" 7  a…"]),
    ],
)
def test_a_table_gives_up_what_matters_least(width: int | None, shown: list[str]) -> None:
    table = lines(COLUMNS, [ROW], replace(WIDE, width=width))
    assert table[1:] == shown
    assert width is None or max(map(width_of, table)) <= width


@pytest.mark.parametrize(
    ("arguments", "params", "json"),
    [
        ("k --json x=1", ["x=1"], [""]),
        ("--json k x=1 --json -", ["x=1"], ["", "-"]),
        ("k --json @f --json", [], ["@f", ""]),
        ("k --json=@f x=1 --priority -5 y=2", ["x=1", "y=2"], ["@f"]),
        ("k --priority=-5 -- --json", ["--json"], []),
    ],
)
def test_json_for_create_is_what_it_reads_where_a_file_follows_else_what_it_prints(
    arguments: str, params: list[str], json: list[str]
) -> None:
    read = _parser().parse_args(["create", *arguments.split()])
    assert (read.kind, read.params, read.json) == ("k", params, json)


@pytest.mark.parametrize(
    ("arguments", "order", "field"),
    [
        ("--order -created_at kind:noop", "-created_at", "CREATED_AT"),
        ("--order=-RUN_SECONDS", "-RUN_SECONDS", "RUN_SECONDS"),
        ("--order -ran -- -status:FAILED", "-ran", "RUN_SECONDS"),
        ("--order ran", "ran", "RUN_SECONDS"),
        ("-- --order -ran", "-created", "CREATED_AT"),
    ],
)
def test_an_order_is_a_word_of_the_search_or_graphql_s_name_with_or_without_a_minus(
    arguments: str, order: str, field: str
) -> None:
    assert _parser().parse_args(["list", *arguments.split()]).order == order
    assert order_field(order) == field


@pytest.mark.parametrize("given", ["colour", "-colour", "", "$orderBy"])
def test_another_order_is_told_with_those_that_there_are(given: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        _parser().parse_args(["list", "--order", given])
    assert ended.value.code == 2
    known = "created, started, finished, ran, name, kind, status, value, priority, queue, worker"
    assert capsys.readouterr().err == (
        f"error: argument --order: there is no order {given.removeprefix('-')!r}; there are {known}, and each with "
        "a minus for the largest first (millrace list --help)\n"
    )


def test_every_order_of_the_api_has_a_word() -> None:
    orders = build_schema((ROOT / "site/config/schema.graphql").read_text()).type_map["TaskOrderField"]
    assert isinstance(orders, GraphQLEnumType)
    assert set(ORDERS.values()) == set(orders.values)


def test_what_a_terminal_would_take_as_an_order_is_left_out() -> None:
    assert (
        harmless("a\x1b[31mred\x1b[0m\x1b[2J\x1b]52;c;AAAA\x07b\x9b5nc\r\n\td\x00\xa0e")
        == "a\x1b[31mred\x1b[0mb5nc\r\n\td\xa0e"
    )
    assert plain("a\x1b[2J\nb\u202ec  d") == "a [2J b c  d"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, ""),
        (0, "0 ms"),
        (0.25, "250 ms"),
        (1.5, "1.5 s"),
        (59.9, "60 s"),
        (60, "1 min"),
        (7_200, "2 h"),
        (172_800, "2 d"),
    ],
)
def test_a_duration_is_short(seconds: float | None, text: str) -> None:
    assert duration(seconds) == text


def test_letters_count_as_many_columns_as_they_take() -> None:
    assert [width_of(text) for text in ("ab", "漢字", "e\u0301")] == [2, 4, 1]
    assert WIDE.cut("漢字漢字", 5) == "漢字…"
    assert replace(WIDE, unicode=False).cut("abcdef", 4) == "abc~"
