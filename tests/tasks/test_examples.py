"""Code to begin with: offered with the field for code, and to whom may run it."""

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.utils import timezone

from apps.tasks import examples
from apps.tasks.models import Kind
from tests.tasks.rows import text_of
from workers.sandbox.kind import announcement


@pytest.fixture(autouse=True)
def code(kinds: dict[str, Kind], alice: User) -> None:
    told, now = announcement(), timezone.now()
    Kind.objects.create(name=told["name"], schema=told["schema"], runs_code=True, announced_at=now)
    alice.user_permissions.add(Permission.objects.get(codename="can_run_code"))


def test_every_file_is_an_example_with_a_title() -> None:
    assert sorted(examples.NAMES) == sorted(path.stem for path in examples.FOLDER.glob("*.py"))
    assert all(1 < len(example.title) < 40 for example in examples.every())


def test_the_form_offers_them_for_code_that_is_run(web: Client) -> None:
    html = text_of(web.get("/tasks/new/?kind=code.python"))
    for example in examples.every():
        assert f">{example.title}<" in html
        assert f"?kind=code.python&amp;example={example.name}" in html
    assert "Examples" not in text_of(web.get("/tasks/new/?kind=demo.coin"))


def test_a_link_fills_one_in_with_its_title_as_the_name(web: Client) -> None:
    form = web.get("/tasks/new/?kind=code.python&example=sde").context["form"]
    sde = examples.find("sde")
    assert sde
    assert (form["p.code"].value(), form["name"].value()) == (sde.code, sde.title)


@pytest.mark.parametrize(
    ("query", "text", "name"),
    [
        ("kind=code.python&example=sde&p.code=1&name=mine", "1", "mine"),
        ("kind=code.python&example=nothing", None, None),
        ("kind=code.python&example=../settings", None, None),
    ],
)
def test_what_else_a_link_has_comes_first(web: Client, query: str, text: str | None, name: str | None) -> None:
    form = web.get(f"/tasks/new/?{query}").context["form"]
    assert (form["p.code"].value(), form["name"].value()) == (text, name)


def test_another_kind_takes_no_example(web: Client) -> None:
    form = web.get("/tasks/new/?kind=demo.coin&example=sde").context["form"]
    assert form["name"].value() is None


def test_the_text_of_an_example_is_its_file(web: Client) -> None:
    response = web.get("/tasks/examples/pi.py")
    assert response["Content-Type"] == "text/plain; charset=utf-8"
    assert text_of(response) == (examples.FOLDER / "pi.py").read_text()
    assert web.get("/tasks/examples/nothing.py").status_code == 404
    assert web.post("/tasks/examples/pi.py").status_code == 405


def test_nobody_is_shown_one_without_signing_in(client: Client) -> None:
    assert client.get("/tasks/examples/pi.py").status_code == 302
