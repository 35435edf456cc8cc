"""Every cookie that the web sets, over http and over https as in production."""

import json
import sys
from http.cookies import Morsel
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django.fixtures import Settings

from devstack import credentials
from tests.fixtures.production import documented, run

NAMES = {"millrace_session", "millrace_csrf", "millrace_messages"}
TOLD = """
import json
from config import settings
print(json.dumps({name: getattr(settings, name) for name in dir(settings) if "COOKIE" in name}))
"""


def walk(client: Client, *, secure: bool) -> list["Morsel[str]"]:
    """What a person comes by from signing in to signing out: all the cookies that are set or taken away."""
    set_: list[Morsel[str]] = []

    def ask(method: str, address: str, **data: str) -> Any:
        response = getattr(client, method)(address, data, secure=secure)
        set_.extend(response.cookies.values())
        return response

    ask("get", "/login/")
    ask("post", "/login/", username="alice", password="alice's own words")
    ask("get", "/tasks/")
    new = "quite another one"
    ask("post", "/account/password/", old_password="alice's own words", new_password1=new, new_password2=new)
    ask("get", "/account/")
    ask("get", "/nowhere/")
    ask("post", "/logout/")
    return set_


@pytest.mark.parametrize("production", [False, True])
def test_no_script_no_other_site_and_no_other_host_gets_at_a_cookie(
    client: Client, alice: User, settings: Settings, tmp_path: Path, *, production: bool
) -> None:
    if production:
        credentials.ensure(tmp_path / "var")
        told = run(sys.executable, "-c", TOLD, **{**documented(), "MILLRACE_VAR": str(tmp_path / "var")})
        for name, value in json.loads(told.stdout).items():
            setattr(settings, name, value)
    found = walk(client, secure=production)
    prefix = "__Host-" if production else ""
    assert {cookie.key for cookie in found} == {prefix + name for name in NAMES}
    for cookie in found:
        flags = {name: cookie[name] for name in ("path", "domain", "samesite", "secure")}
        assert flags == {"path": "/", "domain": "", "samesite": "Lax", "secure": production or ""}, cookie
        assert cookie["httponly"] or not cookie.value, cookie  # one that is taken away has nothing to be read
