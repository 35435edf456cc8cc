"""Each field that a task can be asked for costs a list as many statements as one task, whatever is asked beside it."""

from collections.abc import Iterator

import pytest
from django.contrib.auth.models import User
from graphql import GraphQLField, GraphQLNamedType, GraphQLObjectType, get_named_type, is_leaf_type
from graphql.type import is_required_argument

from apps.tasks.models import Kind, Task
from config.schema import schema
from tests.fixtures.asking import Asker
from tests.fixtures.statements import Statements
from tests.queues.rows import a_worker
from tests.tasks.made import keep
from tests.tasks.rows import a_task, an_attempt

DEPTH = 3  # attempts, their nodes, what these have
LIMITED = ("output",)  # each asked for by itself, of a few tasks at once
FEW, MANY = 2, 7


def paths_of(named: GraphQLNamedType, depth: int = DEPTH) -> Iterator[str]:
    """One for each leaf that can be asked for without an argument."""
    assert isinstance(named, GraphQLObjectType)
    for name, field in named.fields.items():
        if name in LIMITED or any(map(is_required_argument, field.args.values())):
            continue
        yield from (f"{name} {{ {below} }}" if below else name for below in below_of(field, depth))


def below_of(field: GraphQLField, depth: int) -> Iterator[str]:
    named = get_named_type(field.type)
    if is_leaf_type(named):
        yield ""
    elif depth > 1 and isinstance(named, GraphQLObjectType):
        yield from paths_of(named, depth - 1)


PATHS = sorted(paths_of(schema.graphql_schema.type_map["Task"]))


@pytest.fixture
def asker(alice: User) -> Asker:
    return Asker.of(alice)


def some_of_each(owner: User, count: int) -> None:
    """Rows that differ in what they hang on, so that nothing is asked once because it is the same for all."""
    for nth in range(Task.objects.count(), Task.objects.count() + count):
        a_worker(f"w{nth}", environment={"packages": {"n": str(nth)}})
        a_task(owner, name=f"waits {nth}", queue=f"q{nth}")
        an_attempt(a_task(owner, status="RUNNING", worker=f"w{nth}", params={"x": nth}), worker=f"w{nth}")
        drawn = a_task(owner, status="FINISHED", cloned_from=Task.objects.earliest("pk").pk)
        an_attempt(drawn, worker=f"w{nth}", status="FINISHED")
        keep(drawn, b"%d" % nth, content_type="image/png", shown=True)
        an_attempt(a_task(owner, status="FINISHED", result=f'{{"mean": {nth}}}'), status="FINISHED")
        an_attempt(a_task(owner, status="FINISHED", value=nth, value_text=str(nth)), status="FINISHED")
        failed = a_task(owner, status="FAILED", kind="code.python", params={"code": f"x.{nth}"})
        an_attempt(failed, worker=f"w{nth}", error_type=f"E{nth}", traceback=f'File "<code>", line 1\nE{nth}\n')
        a_task(owner, status="CANCELLED")


@pytest.mark.usefixtures("remembering")
def test_each_alone_costs_a_list_as_many_statements_as_one_task(
    asker: Asker, alice: User, kinds: dict[str, Kind], statements: Statements
) -> None:
    def cost(path: str) -> int:
        with statements() as asked:
            asker.data(f"{{ tasks(first: 100) {{ nodes {{ {path} }} }} }}")
        return len(asked)

    some_of_each(alice, FEW)
    before = {path: cost(path) for path in PATHS}
    some_of_each(alice, MANY)
    after = {path: cost(path) for path in PATHS}
    assert {path: (before[path], after[path]) for path in PATHS if after[path] > before[path]} == {}
