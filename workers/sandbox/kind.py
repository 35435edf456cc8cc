"""The kind `code.python` as it is announced; made by hand, since pydantic would double the template's memory."""

from dataclasses import asdict
from typing import Any

from workers.policy import Policy
from workers.sandbox.ending import KIND, MOST_CODE

DOC = """\
Runs Python written in the browser.

The value of the last expression is the task's value, as in a notebook; what it prints is its output. It runs in a
sandbox: no network, no files but its own /tmp, no other processes."""


def announcement() -> dict[str, Any]:
    """In the form of registry.Kind.announcement; `runs_code`: whoever may create such a task may run anything."""
    code = {"title": "Code", "type": "string", "maxLength": MOST_CODE, "description": "Python, as in a notebook's cell"}
    code["widget"] = "code"
    schema = {
        "additionalProperties": False,
        "properties": {"code": code},
        "required": ["code"],
        "title": KIND,
        "type": "object",
    }
    policy = asdict(Policy(timeout_seconds=60.0, max_crashes=1))
    return {"name": KIND, "doc": DOC, "schema": schema, "queue": "default", "runs_code": True, **policy}
