"""What the client asks is valid against the published schema, which is the contract of the two."""

import pytest
from graphql import build_schema, parse, validate

from config.graphql_limits import check
from millrace.documents import EVERY
from tests.fixtures.processes import ROOT

SCHEMA = build_schema((ROOT / "site/config/schema.graphql").read_text())


@pytest.mark.parametrize("document", EVERY)
def test_a_document_is_valid_and_within_the_limits(document: str) -> None:
    parsed = parse(document)
    assert validate(SCHEMA, parsed) == []
    check(parsed, SCHEMA)
