"""Lists of objects among the variables: read as graphql-core reads them, or left to it."""

from typing import Any

import pytest
from graphql import parse
from graphql.execution.values import get_variable_values
from graphql.utilities import get_operation_ast

from config.graphql_inputs import plain_lists
from config.schema import schema

MANY = "mutation($input: [CreateTaskInput!]!) { createTasks(input: $input) { createdCount } }"
TASK = {"name": "n", "kind": "demo.noop", "params": {"x": 1}}


def read(given: Any, document: str = MANY) -> tuple[dict[str, Any], Any]:
    """By the plan, and by graphql-core."""
    operation = get_operation_ast(parse(document))
    assert operation
    values = {"input": given}
    definitions = operation.variable_definitions
    return plain_lists(schema.graphql_schema, operation, values), get_variable_values(
        schema.graphql_schema, definitions, values
    )


@pytest.mark.parametrize(
    "given",
    [
        [],
        [TASK, {"name": "only a name"}],
        [{**TASK, "params": None, "code": None, "options": None}],
        [{**TASK, "options": {}}],
        [{**TASK, "options": {"delaySeconds": 1, "priority": 3, "runAfter": "2030-01-01T00:00:00Z"}}],
    ],
)
def test_what_is_plain_is_read_as_graphql_core_reads_it(given: Any) -> None:
    planned, usual = read(given)
    assert planned == usual


@pytest.mark.parametrize(
    "given",
    [
        None,
        TASK,
        [None],
        ["n"],
        [{"kind": "demo.noop"}],
        [{**TASK, "name": None}],
        [{**TASK, "name": 5}],
        [{**TASK, "nme": "n"}],
        [{**TASK, "options": {"priority": "high"}}],
        [{**TASK, "options": {"runAfter": "soon"}}],
        [{**TASK, "options": [1]}],
    ],
)
def test_what_is_not_plain_is_left_to_graphql_core(given: Any) -> None:
    planned, _ = read(given)
    assert planned == {}


def test_another_variable_is_left_to_graphql_core() -> None:
    planned, usual = read([1], "query($input: [ID!]) { tasks(filter: {ids: $input}) { totalCount } }")
    assert planned == {}
    assert usual == {"input": ["1"]}
