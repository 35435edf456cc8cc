"""The pages of people: who there is, what each may do, invitations."""

import logging
import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.core.management import call_command
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from apps.accounts import links, roles, tokens
from apps.accounts.models import SignInLink
from apps.accounts.permissions import Caller, Scope, may_operate, may_see_all, may_write
from apps.accounts.roles import Role
from apps.tasks.clock import ticks
from apps.tasks.models import Clock

pytestmark = pytest.mark.django_db

SENTENCE = "a long sentence of mine"
CREATE = "/tasks/new/"
TWICE = {"new_password1": SENTENCE, "new_password2": SENTENCE}


@pytest.fixture
def desk(client: Client, admin: User) -> Client:
    """The browser of the administrator."""
    Clock.objects.get_or_create(id=1)
    client.force_login(admin)
    return client


def named(name: str) -> User:
    """With nothing remembered of what they may do."""
    return User.objects.get(username=name)


def link_in(response: Any) -> str:
    """The path of the invitation that the page shows."""
    [path] = re.findall(r"http://testserver(/join/\w{49})<", response.content.decode())
    return str(path)


def test_somebody_who_comes_to_be_is_a_member(alice: User, admin: User) -> None:
    assert (roles.of(alice), roles.of(admin)) == ("Member", "Administrator")
    assert [may_write(alice), may_see_all(alice), may_operate(alice)] == [True, False, False]


def test_what_an_administrator_has_made_of_a_role_stays(alice: User) -> None:
    Group.objects.get(name=Role.MEMBER).permissions.clear()
    call_command("migrate", verbosity=0)
    assert not may_write(alice)


def test_who_was_there_before_the_roles_is_a_member(alice: User) -> None:
    Group.objects.all().delete()
    alice.groups.add(Group.objects.create(name="coders"))
    roles.ensure()
    assert roles.of(alice) == "Member"
    assert may_write(named("alice"))


def test_a_person_is_added_and_invited(desk: Client) -> None:
    response = desk.post("/people/", {"username": "vera", "role": "Viewer"})
    assert response.status_code == 201
    assert "no-store" in response.headers["Cache-Control"]
    assert roles.of(named("vera")) == "Viewer"
    address = link_in(response)
    stranger = Client()
    page = stranger.get(address, REMOTE_ADDR="192.0.2.7")
    assert (page.status_code, "Welcome, vera" in page.content.decode()) == (200, True)
    assert stranger.post(address, {**TWICE, "new_password2": "x"}).status_code == 422
    joined = stranger.post(address, TWICE, REMOTE_ADDR="192.0.2.7")
    assert (joined.status_code, joined.headers["Location"]) == (303, "/tasks/")
    assert stranger.get("/tasks/").context["user"].username == "vera"
    assert Client().get(address).status_code == 410
    assert Client().post(address, TWICE).status_code == 410
    assert Client().post("/login/", {"username": "vera", "password": SENTENCE}).status_code == 302


@pytest.mark.parametrize("unusable", ["old", "replaced", "switched off", "printed"])
def test_an_invitation_that_is_not_good_lets_nobody_in(desk: Client, alice: User, unusable: str) -> None:
    text = links.invite(alice)
    if unusable == "old":
        SignInLink.objects.update(expires_at=timezone.now())
    elif unusable == "replaced":
        links.invite(alice)
    elif unusable == "switched off":
        desk.post(f"/people/{alice.pk}/switch/", {"to": "off"})
    else:
        text = links.make(alice)
    assert Client().post(f"/join/{text}", TWICE).status_code == 410
    assert not named("alice").check_password(SENTENCE)


def test_an_invitation_is_no_printed_link_and_lasts_three_days(alice: User) -> None:
    text = links.invite(alice)
    left = SignInLink.objects.get().expires_at - timezone.now()
    assert timedelta(days=2, hours=23) < left <= timedelta(days=3)
    assert Client().get(f"/start/{text}").status_code == 410
    assert links.invited(text) == alice
    assert text not in str(SignInLink.objects.values())


def test_no_invitation_stands_in_the_log(desk: Client, alice: User, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    address = link_in(desk.post(f"/people/{alice.pk}/invite/"))
    for _ in range(2):
        Client().get(address)
        Client().post(address, TWICE)
    assert address.removeprefix("/join/") not in caplog.text


def test_invitations_begin_with_the_public_address(desk: Client, alice: User, settings: Settings) -> None:
    settings.PUBLIC_URL = "https://mill.example"
    assert ">https://mill.example/join/" in desk.post(f"/people/{alice.pk}/invite/").content.decode()


def test_another_role_holds_at_once_and_everywhere(desk: Client, alice: User) -> None:
    other = Client()
    other.force_login(alice)
    token, _ = tokens.make(user=alice, scopes={Scope.TASKS_WRITE, Scope.OPS})
    tick = ticks()
    typed = {"role": "Operator", "run_code": "on"}
    assert desk.post(f"/people/{alice.pk}/", typed, follow=True).status_code == 200
    assert ticks() > tick, "open pages ask anew"
    assert (roles.of(named("alice")), roles.extras_of(named("alice"))) == ("Operator", {"can_run_code"})
    assert other.get(CREATE).status_code == 200
    desk.post(f"/people/{alice.pk}/", {"role": "Viewer"})
    assert (roles.of(named("alice")), roles.extras_of(named("alice"))) == ("Viewer", set())
    assert other.get(CREATE).status_code == 403
    token.user = named("alice")
    assert Caller.of_token(token).scopes == {Scope.TASKS_READ}
    desk.post(f"/people/{alice.pk}/", {"role": "Administrator"})
    assert named("alice").is_superuser
    desk.post(f"/people/{alice.pk}/", {"role": "Member"})
    assert not named("alice").is_superuser
    assert not named("alice").is_staff


@pytest.mark.parametrize(
    ("typed", "mistake"),
    [
        ({"username": ""}, "Give the person a name."),
        ({"username": "ALICE"}, "There is somebody called ALICE already."),
        ({"username": "a b"}, "Enter a valid username. This value may contain only letters, numbers, and @/./+/-/_"),
        ({"username": "n" * 151}, "Ensure this value has at most 150 characters (it has 151)."),
        ({"role": ""}, "Choose a role."),
        ({"role": "King"}, "Select a valid choice. King is not one of the available choices."),
        ({"operate": "on"}, "A viewer changes nothing: leave both boxes empty, or choose another role."),
    ],
)
def test_what_cannot_be_added_says_why(typed: dict[str, str], mistake: str, desk: Client, alice: User) -> None:
    response = desk.post("/people/", {"username": "vera", "role": "Viewer", **typed})
    assert response.status_code == 422
    [[error]] = response.context["form"].errors.values()
    assert error.startswith(mistake)
    assert User.objects.count() == 2


def test_who_is_switched_off_is_out_at_once(desk: Client, alice: User) -> None:
    other = Client()
    other.force_login(alice)
    _, text = tokens.make(user=alice, scopes={Scope.TASKS_READ})
    said = desk.post(f"/people/{alice.pk}/switch/", {"to": "off"}, follow=True).content.decode()
    assert "alice is switched off" in said
    assert other.get("/tasks/").status_code == 302
    assert tokens.find(text) is None
    assert desk.post(f"/people/{alice.pk}/invite/").status_code == 409
    desk.post(f"/people/{alice.pk}/switch/", {"to": "on"})
    assert other.get("/tasks/").status_code == 200


@pytest.mark.parametrize(("path", "typed"), [("", {"role": "Viewer"}), ("switch/", {"to": "off"})])
def test_nobody_shuts_themselves_out(path: str, typed: dict[str, str], desk: Client, admin: User) -> None:
    response = desk.post(f"/people/{admin.pk}/{path}", typed)
    assert response.status_code == 403
    assert "one administrator is always left" in response.content.decode()
    assert (named("admin").is_active, named("admin").is_superuser) == (True, True)


def test_the_list_says_who_is_what_and_when_they_were_seen(desk: Client, alice: User) -> None:
    alice.user_permissions.add(Permission.objects.get(codename="can_run_code"))
    page = " ".join(desk.get("/people/").content.decode().split())
    row = page.split(f"/people/{alice.pk}/")[1].partition(">")[2].split("</tr>")[0]
    assert " ".join(re.sub(r"<[^>]+>", " ", row).split()) == "alice Active Member may run code never"


def test_a_list_of_many_costs_as_many_queries_as_one_of_one(desk: Client, django_assert_max_num_queries: Any) -> None:
    for n in range(30):
        User.objects.create_user(f"person{n}")
    with django_assert_max_num_queries(11):
        desk.get("/people/")


@pytest.mark.parametrize("who", ["alice", "sam"])
@pytest.mark.parametrize("path", ["", "{}/", "{}/switch/", "{}/invite/"])
def test_only_administrators_come_here(path: str, who: str, client: Client, alice: User, admin: User) -> None:
    sam = User.objects.create_user("sam", is_staff=True)
    sam.user_permissions.set(Permission.objects.filter(content_type__app_label="auth"))
    client.force_login(named(who))
    address = "/people/" + path.format(admin.pk)
    assert client.post(address, {"username": "new", "role": "Administrator", "to": "off"}).status_code == 403
    if "/s" not in path and "/i" not in path:
        assert client.get(address).status_code == 403
    assert User.objects.count() == 3
    assert named("admin").is_active
    assert not SignInLink.objects.exists()
