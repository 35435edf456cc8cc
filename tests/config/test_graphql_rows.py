"""Lists answered by a plan: the same answers as graphql-core's own."""

from typing import Any

import pytest
from graphql import GraphQLError, build_schema, execute_sync, parse

from config.graphql_rows import RowsContext

SCHEMA = build_schema(
    """
    interface Named { name: String! }
    enum Colour { RED GREEN }
    type Leaf { value: Float! }
    type Row implements Named {
      name: String!  number: Int  colour: Colour  tags: [String!]  leaf: Leaf  leaves: [Leaf]!  parent: Row
      fails: String  fails_hard: String!  greet(who: String = "you"): String
    }
    type Query { rows: [Row!]  maybe: [Row]  named: [Named]  numbers: [Int!]!  grid: [[Int]]  lazy: [Row] }
    """
)


class Row:
    def __init__(self, name: str | None, **fields: Any) -> None:
        self.name = name
        self.number = fields.get("number", 7)
        self.colour = fields.get("colour", "RED")
        self.tags = fields.get("tags", ["a", "b"])
        self.leaf = fields.get("leaf", {"value": 0.5})
        self.leaves = fields.get("leaves", [{"value": 1.5}, None])
        self.parent = fields.get("parent")
        self.greet = lambda info, who: f"{self.name} greets {who}"

    def fails(self, _info: Any) -> str:
        raise ValueError(self.name)

    fails_hard = fails


ROWS = [Row("one", parent=Row("root")), Row("two", number=None, colour=None, tags=None, leaf=None)]
ROOT = {
    "rows": ROWS,
    "maybe": [None, *ROWS],
    "named": [{"name": "x", "__typename": "Row"}],
    "numbers": [1, 2, 3],
    "grid": [[1, None], None],
    "lazy": lambda _info: iter(ROWS),
}


def answers(query: str, root: Any = ROOT, **variables: Any) -> list[Any]:
    document = parse(query)
    return [
        execute_sync(
            SCHEMA, document, root_value=root, variable_values=variables, execution_context_class=context
        ).formatted
        for context in (None, RowsContext)
    ]


@pytest.mark.parametrize(
    "query",
    [
        "{ rows { name number colour tags leaf { value } leaves { value } __typename } }",
        "{ maybe { name parent { name parent { name } } } }",
        "{ numbers grid }",
        "{ lazy { name } }",
        "{ named { name } }",
        '{ rows { greet a: greet(who: "me") b: greet(who: $who) } }'.replace("{ rows", "query ($who: String) { rows"),
        "query ($yes: Boolean = true) { rows { name @skip(if: $yes) number @include(if: $yes) } }",
        "{ rows { ...f ... on Row { number } ... on Named { name } } } fragment f on Row { leaf { value } name }",
        "{ rows { name fails } }",
        "{ rows { name fails_hard } }",
        "{ maybe { fails_hard } }",
        "{ rows { parent { fails_hard } leaves { value } } }",
    ],
)
def test_a_list_is_answered_as_graphql_core_answers_it(query: str) -> None:
    theirs, ours = answers(query, who="him")
    assert ours == theirs


@pytest.mark.parametrize(
    "root",
    [
        {"rows": None},
        {"rows": []},
        {"rows": [None]},
        {"rows": [Row(None)]},
        {"rows": [Row("ok"), Row("bad", number="x")]},
        {"rows": [Row("bad", colour="BLUE")]},
        {"rows": [Row("bad", leaf={"value": float("inf")})]},
        {"rows": [Row("bad", leaves=None)]},
        {"rows": [Row("bad", tags=["a", None])]},
        {"rows": 7},
    ],
)
def test_what_cannot_be_shown_is_told_as_graphql_core_tells_it(root: Any) -> None:
    theirs, ours = answers("{ rows { name number colour tags leaf { value } leaves { value } } }", root)
    assert ours == theirs


def test_a_mistake_is_told_once_with_its_place() -> None:
    result = execute_sync(SCHEMA, parse("{ rows { fails } }"), ROOT, execution_context_class=RowsContext)
    assert isinstance(result.errors, list)
    assert [error.path for error in result.errors] == [["rows", 0, "fails"], ["rows", 1, "fails"]]
    assert all(isinstance(error, GraphQLError) for error in result.errors)


def test_a_plain_list_is_not_asked_twice() -> None:
    asked = []

    def name(_info: Any) -> str:
        asked.append(1)
        return "n"

    execute_sync(
        SCHEMA, parse("{ rows { name } }"), {"rows": [{"name": name}] * 3}, execution_context_class=RowsContext
    )
    assert len(asked) == 3
