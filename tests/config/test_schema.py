"""The published contract, and the two programs of ours that keep to it."""

import pytest
from graphql import parse, validate

from config.management.commands.schema import PUBLISHED
from config.schema import printed, schema
from sink import client
from workers import claim, control


def test_the_published_schema_is_current() -> None:
    assert PUBLISHED.read_text() == printed(), "The API has changed: run ./manage.py schema, and look at the diff."


@pytest.mark.parametrize("document", [client.DOCUMENT, claim.DOCUMENT, control.DOCUMENT])
def test_our_own_programs_ask_what_the_schema_answers(document: str) -> None:
    assert validate(schema.graphql_schema, parse(document)) == []
