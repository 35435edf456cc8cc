"""Whole requests: a document with its variables, sent by somebody, now and then in a form that nobody can read."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from tests.fuzz.cast import FITTING, Cast
from tests.fuzz.documents import Document

if TYPE_CHECKING:
    from hypothesis.strategies import DrawFn

VIEWER = b'{"query": "{ viewer { username } }"}'
NONSENSE = [
    b"", b" ", b"null", b"7", b"[]", b"{}", b'"x"', b"[" * 200_000, b'{"query":' + b"[" * 100_000, b"\xff\xfe\xfa",
    b"\xef\xbb\xbf{}",
    VIEWER.decode().encode("utf-16"), VIEWER[:-1], VIEWER * 2, b"[" + VIEWER + b"]", b'{"query": NaN}',
    b"query=%7Bviewer%7D",
    b'{"query": "{ viewer { id } }", "variables": []}',
    b'{"query": "{ viewer { id } }", "variables": {"x": -Infinity}}',
    b'{"query": "{ viewer { id } }", "operationName": ["x"]}',
    b'{"query": "{ viewer { id } }", "operationName": "\\ud800"}',
    b'{"query": "{ viewer { id } }", "query": 7}', b'{"query": "\\ud800"}', b'{"query": "\\u0000{ viewer { id } }"}',
    b'{"query": ["x"]}',
    b'{"query": "{ viewer { id } }", "variables": {"x": ' + b"9" * 5_000 + b"}}",
    b'{"query": "' + b"x" * 100_000 + b'"}',
    b'{"query": "{ viewer { id } }", "extensions": {"persistedQuery": {"version": 1}}}',
    b'{"query": "' + b"{" * 19_000 + b'"}',
]  # fmt: skip
HEADERS: list[dict[str, str]] = [
    {"HTTP_CONTENT_ENCODING": "gzip"}, {"HTTP_ACCEPT": "text/html;q=x"}, {"HTTP_COOKIE": "millrace_session=\xff; =;"},
    {"HTTP_X_FORWARDED_FOR": "not, an, address"}, {"HTTP_ACCEPT_LANGUAGE": "x" * 9_000},
    {"HTTP_IF_NONE_MATCH": '"\x00'},
    {"HTTP_HX_REQUEST": "true", "HTTP_HX_CURRENT_URL": "http://[", "HTTP_HX_PTAG": "x"},
    {"HTTP_AUTHORIZATION": "Bearer \u0663"},
    {"CONTENT_LENGTH": "-1"}, {"CONTENT_LENGTH": "x"}, {"CONTENT_LENGTH": "9999999999"}, {"HTTP_ORIGIN": "null"},
]  # fmt: skip
TYPES = [
    "text/plain",
    "",
    "application/json; charset=utf-16",
    "application/json;",
    "APPLICATION/JSON",
    "multipart/form-data",
]


@dataclass(frozen=True, slots=True)
class Shot:
    """A request. `root`: the fields that its document asks for."""

    by: str
    body: bytes = field(repr=False)
    root: tuple[str, ...] = ()
    method: str = "POST"
    content_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)

    def fire(self, cast: Cast) -> Any:
        return cast.senders[self.by](self.method, "/graphql/", self.body, self.content_type, **self.headers)


def shots(cast: Cast) -> st.SearchStrategy[Shot]:
    @st.composite
    def one(draw: DrawFn) -> Shot:
        if draw(st.integers(0, 14)) == 7:
            return _unreadable(draw, cast)
        document = Document(draw, cast.pool)
        fitting = FITTING.get(document.root[0], "writes")
        by = draw(st.sampled_from([fitting] * 15 + list(cast.senders)))
        return Shot(by, _body(draw, document), tuple(document.root))

    return one()


def _body(draw: DrawFn, document: Document) -> bytes:
    asked = {"query": document.text, "variables": document.variables}
    body = json.dumps(asked).encode()
    if draw(st.integers(0, 24)) != 12:
        return body
    at = draw(st.integers(0, len(body)))
    return body[:at] + draw(st.binary(max_size=3)) + body[at + draw(st.integers(0, 3)) :]


def _unreadable(draw: DrawFn, cast: Cast) -> Shot:
    return Shot(
        draw(st.sampled_from(["writes", "sink", "session", *cast.senders])),
        draw(st.one_of(st.sampled_from(NONSENSE), st.binary(max_size=200))),
        method=draw(st.sampled_from(["POST"] * 5 + ["GET", "PUT", "DELETE", "OPTIONS", "PATCH"])),
        content_type=draw(st.sampled_from(["application/json"] * 5 + TYPES)),
        headers=draw(st.sampled_from([{}, {}, *HEADERS])),
    )
