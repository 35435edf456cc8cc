"""`code.python` is announced as if it were any other kind."""

from typing import Annotated

from pydantic import Field

from workers.policy import Policy
from workers.registry import Kind, _parameters
from workers.sandbox import kind
from workers.sandbox.ending import MOST_CODE

Code = Annotated[
    str,
    Field(max_length=MOST_CODE, description="Python, as in a notebook's cell", json_schema_extra={"widget": "code"}),
]


def test_the_announcement_is_what_a_signature_would_make_it() -> None:
    def python(code: Code) -> None:
        pass

    parameters = _parameters("code.python", python)
    policy = Policy(timeout_seconds=60.0, max_crashes=1)
    made = Kind("code.python", kind.DOC, "default", python, parameters, policy)
    assert kind.announcement() == {**made.announcement(), "runs_code": True}
