"""A GraphQL request as text to be taken elsewhere: the document itself, a line for curl, a program in Python.

Whatever stands in names and parameters, each of the texts means just that: nothing in it is run, cut off or read anew.
"""

from __future__ import annotations

import json
import pprint
import re
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

LONGEST_INLINE: Final = 10_000  # a longer document might be refused, as the endpoint's limit is twice that
_NAME = re.compile(r"[_A-Za-z][_0-9A-Za-z]*", re.ASCII)
_VARIABLE = re.compile(r"\$(\w+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Snippet:
    """`name`: part of its element's id."""

    name: str
    label: str
    text: str


def of(document: str, variables: Mapping[str, Any], address: str) -> list[Snippet]:
    """The same request three times. `document` begins with its operation and the variables that it declares."""
    return [
        Snippet(name="graphql", label="GraphQL", text=_graphql(document, variables)),
        Snippet(name="curl", label="curl", text=_curl(document, variables, address)),
        Snippet(name="python", label="Python", text=_python(document, variables, address)),
    ]


def _graphql(document: str, variables: Mapping[str, Any]) -> str:
    """With the values where the variables stand; beneath it where GraphQL has no way to write them there."""
    try:
        values = {name: _literal(value) for name, value in variables.items()}
    except ValueError:
        values = {}
    if sum(map(len, values.values())) > LONGEST_INLINE or len(values) < len(variables):
        return f"{document}\n\n# Variables: {_json(variables)}"
    head, brace, rest = document.partition("{")
    operation = head.partition("(")[0].rstrip()
    return f"{operation} {brace}{_VARIABLE.sub(lambda found: values[found[1]], rest)}"


def _literal(value: Any) -> str:
    """Raises ValueError for a key that is no name of GraphQL's."""
    if isinstance(value, Bare):
        return value.word
    if isinstance(value, dict):
        if not all(_NAME.fullmatch(name) for name in value):
            raise ValueError
        return f"{{{', '.join(f'{name}: {_literal(each)}' for name, each in value.items())}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(_literal, value))}]"
    return _json(value)


@dataclass(frozen=True, slots=True)
class Bare:
    """A value of a GraphQL enum: a text in JSON, a bare word in a document."""

    word: str


def _curl(document: str, variables: Mapping[str, Any], address: str) -> str:
    body = _json({"query": document, "variables": variables})
    lines = [
        f"curl -sS {shlex.quote(address)}",
        '-H "Authorization: Bearer $MILLRACE_API_TOKEN"',
        "-H 'Content-Type: application/json'",
        f"--data-binary {shlex.quote(body)}",
    ]
    return " \\\n  ".join(lines)


_PROGRAM = '''import json
import os
import urllib.request

query = """
{document}
"""
variables = {variables}

request = urllib.request.Request(
    {address!r},
    json.dumps({{"query": query, "variables": variables}}).encode(),
    {{"Authorization": f"Bearer {{os.environ['MILLRACE_API_TOKEN']}}", "Content-Type": "application/json"}},
)
with urllib.request.urlopen(request) as response:
    answer = json.load(response)
print(json.dumps(answer, indent=2))'''


def _python(document: str, variables: Mapping[str, Any], address: str) -> str:
    values = pprint.pformat(_plain(variables), width=100, sort_dicts=False)
    return _PROGRAM.format(document=document, variables=values, address=address)


def _json(value: Any) -> str:
    """With nothing in it that a terminal would take for a key, or that an eye would not see."""
    text = json.dumps(_plain(value), ensure_ascii=False)
    return "".join(each if each.isprintable() else json.dumps(each)[1:-1] for each in text)


def _plain(value: Any) -> Any:
    if isinstance(value, Bare):
        return value.word
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, list) else value
