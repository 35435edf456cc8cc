"""Nothing is shown to strangers."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from apps.accounts import tokens
from apps.accounts.permissions import Scope

pytestmark = pytest.mark.django_db

OPEN = {"/login/", "/healthz", "/readyz"}
TEXT = "x" * 49
# One asks for a token and heeds no cookie; the others take JSON alone, and with a cookie ask for the CSRF token, too.
NO_FORM_REACHES = {"/artifacts/chunks/", "/graphql", "/graphql/"}


def addresses(patterns: list[Any], start: str = "/") -> Iterator[str]:
    for pattern in patterns:
        route = str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from addresses(pattern.url_patterns, start + route)
        elif isinstance(pattern, URLPattern):
            yield start + filled(route)


def filled(route: str) -> str:
    """With something in the place of each part, also where a regular expression stands for it."""
    route = re.sub(r"\(\?P<\w+>(?:[^()]|\([^()]*\))*\)", "0" * 16, route).strip("^$")
    return re.sub(r"<(\w+):\w+>", lambda converter: "1" if converter[1] == "number" else TEXT, route)


def test_every_address_asks_strangers_to_sign_in(client: Client) -> None:
    seen = set()
    for address in addresses(get_resolver().url_patterns):
        for method in (client.get, client.post):
            response = method(address)
            if response.status_code not in (302, 401, 404) and not refuses_form(address, response.status_code):
                seen.add(address.partition(TEXT)[0])
            if response.status_code == 302:
                assert response.headers["Location"].startswith("/login/?next="), address
    assert seen == {*OPEN, "/start/", "/join/", "/shared/"}


def refuses_form(address: str, status: int) -> bool:
    """What answers the anonymous with a refusal of its own and nothing else."""
    return address in ("/graphql/", "/graphql") and status in (405, 415)


def test_every_address_refuses_the_form_of_another_site(admin: User) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(admin)
    not_asked = {
        address for address in addresses(get_resolver().url_patterns) if strict.post(address).status_code != 403
    }
    assert not_asked == NO_FORM_REACHES
    assert [strict.post(address).status_code for address in sorted(NO_FORM_REACHES)] == [401, 415, 415]


def test_readiness_is_told_to_this_machine_only(client: Client) -> None:
    assert client.get("/readyz").status_code in (200, 503)
    assert client.get("/readyz", REMOTE_ADDR="192.0.2.7").status_code == 302
    assert client.get("/readyz", headers={"x-forwarded-for": "192.0.2.7"}).status_code == 302
    assert client.get("/healthz", REMOTE_ADDR="192.0.2.7").status_code == 200


@pytest.mark.parametrize(
    ("page", "comes_back_to"),
    [
        ("http://testserver/tasks/?q=x&after=3", "/tasks/?q%3Dx%26after%3D3"),
        ("http://testserver/tasks/7/", "/tasks/7/"),
        ("https://evil.example/tasks/", "/tasks/"),
        ("//evil.example/", "/tasks/"),
        ("javascript:alert(1)", "/tasks/"),
        ("", "/tasks/"),
    ],
)
def test_a_fragment_without_a_session_leads_the_whole_page_to_sign_in(
    client: Client, page: str, comes_back_to: str
) -> None:
    response = client.get("/tasks/changes/", headers={"HX-Request": "true", "HX-Current-URL": page})
    assert response.status_code == 401
    assert response.headers["HX-Redirect"] == f"/login/?next={comes_back_to}&ended=1".replace("/?q", "/%3Fq")
    assert response.content == b""


def test_who_has_signed_in_passes(client: Client, alice: User) -> None:
    client.force_login(alice)
    assert client.get("/readyz", REMOTE_ADDR="192.0.2.7").status_code in (200, 503)


def test_the_admin_has_no_door_of_its_own(client: Client) -> None:
    for address in ("/admin/", "/admin/login/"):
        response = client.get(address)
        assert response.status_code == 302
        assert response.headers["Location"].startswith("/login/?next=/admin/")


RUBBISH = {
    "Accept-Language": "xx;q=9,\x7f;;;*" * 200,
    "Cookie": "millrace_session=" + "x" * 16_000,
    "If-None-Match": '"\\"",W/,*',
    "If-Modified-Since": "the day after",
    "X-Forwarded-For": "é, ,:::1",
    "HX-Request": "true",
    "HX-Current-URL": "http://evil.example/\x7f",
    "HX-PTag": "1|2|3|4|5|6",
    "Content-Type": "multipart/form-data; boundary=",
}


@pytest.mark.parametrize("header", RUBBISH)
def test_rubbish_in_a_header_is_no_fault_of_ours(header: str, alice: User) -> None:
    for client in (Client(), signed_in := Client()):
        if client is signed_in:
            client.force_login(alice)
        for address in ("/login/", "/tasks/", "/account/", "/start/x"):
            for method in (client.get, client.post):
                assert method(address, headers={header: RUBBISH[header]}).status_code < 500, address


def test_a_forged_fragment_tells_no_more_than_the_page(client: Client, alice: User, admin: User) -> None:
    tokens.make(user=admin, scopes={Scope.OPS}, name="a secret name")
    client.force_login(alice)
    for address in ("/account/", "/account/tokens/all/", "/people/", "/tasks/"):
        page, fragment = (client.get(address, headers=forged) for forged in ({}, {"HX-Request": "true"}))
        assert fragment.status_code == page.status_code
        assert b"a secret name" not in page.content + fragment.content
