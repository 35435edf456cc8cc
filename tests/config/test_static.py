"""Static files: their addresses, and what the web answers to them."""

import os
from pathlib import Path

import pytest
from django.conf import settings
from django.templatetags.static import static
from django.test import Client


def test_an_address_changes_with_its_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = tmp_path / "once.js"
    script.write_text("one")
    monkeypatch.setattr("django.contrib.staticfiles.finders.find", lambda _name: str(script))
    first = static("once.js")
    script.write_text("two")
    os.utime(script, ns=(1, 1))
    assert first.startswith("/static/once.js?v=")
    second = static("once.js")
    assert second not in (first, "/static/once.js")
    script.unlink()
    monkeypatch.undo()
    assert static("once.js") == "/static/once.js"


@pytest.mark.django_db
def test_every_address_on_a_page_is_served(client: Client) -> None:
    page = client.get("/login/").content.decode()
    addresses = [part.split('"')[0] for part in page.split('"/static/')[1:]]
    assert len(addresses) > 10
    for address in addresses:
        answer = client.get(f"{settings.STATIC_URL}{address}")
        assert (answer.status_code, answer["X-Content-Type-Options"]) == (200, "nosniff"), address
        assert "max-age" in answer["Cache-Control"]


def test_a_file_that_is_not_there_has_an_address_all_the_same() -> None:
    assert static("nowhere.js") == "/static/nowhere.js"
