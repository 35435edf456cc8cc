"""GraphiQL is for those who may ask what the schema is, on one page, and asks what the limits let through."""

from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client, override_settings
from graphql import get_introspection_query

from config.graphql_documents import compiled

pytestmark = pytest.mark.django_db


def status(client: Client, user: User) -> int:
    client.force_login(user)
    return client.get("/graphiql/").status_code


def test_it_is_the_staffs_and_in_development_everybodys(client: Client, alice: User, sam: User) -> None:
    assert client.get("/graphiql/").status_code == 302
    assert [status(client, user) for user in (alice, sam)] == [403, 200]
    with override_settings(DEBUG=True):
        assert status(client, alice) == 200
        question = {"query": "{ __schema { queryType { name } } }"}
        assert client.post("/graphql/", question, content_type="application/json").status_code == 200
    assert client.post("/graphql/", question, content_type="application/json").status_code == 400


def test_no_other_page_loads_it() -> None:
    templates = Path(settings.ROOT, "templates")
    assert [path.name for path in templates.rglob("*.html") if "vendor/graphiql" in path.read_text()] == [
        "graphiql.html"
    ]


def test_the_question_what_the_schema_is_stays_within_the_limits() -> None:
    assert compiled(get_introspection_query(), introspection=True)
