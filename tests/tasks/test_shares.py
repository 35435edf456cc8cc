"""Links by which anybody sees one task."""

import logging
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from django.utils import timezone

from apps.tasks import shares
from apps.tasks.models import Share, Task
from apps.tasks.recording import record
from tests.tasks.events import batch, printed, started
from tests.tasks.made import keep
from tests.tasks.rows import a_task, an_attempt, text_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def task(alice: User) -> Task:
    task = a_task(alice, name="the <b>fit</b>", status="FINISHED", value_text="0.25", params={"secret": "of alice"})
    an_attempt(task)
    return task


def link_in(response: Any) -> str:
    """The path of the link that the page shows."""
    [path] = re.findall(r"http://testserver(/shared/\w{49}/)<", text_of(response))
    return str(path)


def test_whoever_has_the_link_sees_the_task_and_nothing_else(web: Client, task: Task) -> None:
    made = web.post(f"/tasks/{task.pk}/shares/", {"days": "7"}, follow=True)
    assert (made.status_code, "no-store" in made.headers["Cache-Control"]) == (200, True)
    response = Client().get(link_in(made), REMOTE_ADDR="192.0.2.7")
    page = text_of(response)
    assert response.status_code == 200
    assert response.headers["X-Robots-Tag"] == "noindex, nofollow"
    assert "the &lt;b&gt;fit&lt;/b&gt;" in page
    assert "0.25" in page
    assert "of alice" not in page
    assert re.findall(r"<(?:form|a) [^>]*>", page.replace('<a class="skip" href="#main">', "")) == []
    assert text_of(web.get(link_in(made))).count("<form") == 0, "not even for who is signed in"


def test_loading_the_answer_again_makes_no_second_link(web: Client, alice: User, task: Task) -> None:
    at = f"/tasks/{task.pk}/shares/"
    sent = web.post(at, {"days": "7"})
    assert (sent.status_code, sent["Location"]) == (302, at)
    cookie = sent.cookies["millrace_link"]
    assert (cookie["path"], cookie["httponly"], cookie["samesite"], cookie["max-age"]) == (at, True, "Strict", 60)
    other = a_task(alice)
    assert 'id="fresh"' not in text_of(web.get(f"/tasks/{other.pk}/shares/")), "of another task"
    web.head(at)
    assert Client().get(link_in(web.get(at))).status_code == 200
    assert 'id="fresh"' not in text_of(web.get(at))
    assert Share.objects.count() == 1


def test_output_and_error_are_shown(web: Client, alice: User) -> None:
    task = a_task(alice, params={"code": "secret_code = 1"})
    record([batch(started(task), printed(task, 0, "what it printed\n"))])
    error = {"error_type": "ValueError", "error_message": "no convergence", "traceback": "Traceback:\n x"}
    Task.objects.filter(pk=task.pk).update(status="FAILED", reason="ERROR", finished_at=timezone.now())
    task.attempts.update(status="FAILED", finished_at=timezone.now(), **error)
    page = text_of(Client().get(f"/shared/{shares.make(user=alice, task=task, days=1)}/"))
    for text in ("what it printed", "ValueError", "no convergence", "Failed"):
        assert text in page
    assert "secret_code" not in page
    assert "/tasks/" not in page


def test_artifacts_come_by_the_link_alone(alice: User, task: Task, settings: Any, tmp_path: Path) -> None:
    place = {"BACKEND": "config.folder.Folder", "OPTIONS": {"location": tmp_path}}
    settings.STORAGES = {**settings.STORAGES, "artifacts": place}
    keep(task, b"1,2\n", "fit.csv")
    other = a_task(alice, status="FINISHED")
    an_attempt(other)
    at = f"/shared/{shares.make(user=alice, task=task, days=1)}"
    address = re.findall(rf'href="({at}/artifacts/\d+/fit.csv)"', text_of(Client().get(f"{at}/")))[0]
    response = Client().get(address)
    assert (response.status_code, b"".join(response)) == (200, b"1,2\n")
    elsewhere = address.replace(at, f"/shared/{shares.make(user=alice, task=other, days=1)}")
    assert Client().get(elsewhere).status_code == 404
    Share.objects.all().delete()
    assert Client().get(address).status_code == 404


@pytest.mark.parametrize("over", ["ended", "revoked", "deleted", "switched off", "made up", "not seen any more"])
def test_a_link_that_is_over_shows_nothing(over: str, web: Client, alice: User, bob: User, task: Task) -> None:
    bob.groups.set(Group.objects.filter(name="Operator"))
    text = shares.make(user=User.objects.get(pk=bob.pk), task=task, days=1)
    assert Client().get(f"/shared/{text}/").status_code == 200
    if over == "ended":
        Share.objects.update(expires_at=timezone.now())
    elif over == "revoked":
        share = Share.objects.get()
        assert web.post(f"/tasks/{task.pk}/shares/{share.pk}/revoke/").status_code == 302
    elif over == "deleted":
        task.delete()
    elif over == "switched off":
        User.objects.filter(pk=bob.pk).update(is_active=False)
    elif over == "made up":
        text = text[::-1]
    else:
        bob.groups.set(Group.objects.filter(name="Member"))
    assert Client().get(f"/shared/{text}/").status_code == 404


def test_only_a_hash_is_stored_and_no_link_stands_in_the_log(
    alice: User, task: Task, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    text = shares.make(user=alice, task=task, days=30)
    share = Share.objects.get()
    assert text not in str(Share.objects.values())
    assert abs(share.expires_at - timezone.now() - timedelta(days=30)) < timedelta(minutes=1)
    Client().get(f"/shared/{text}/")
    Client().get(f"/shared/{text}/artifacts/1/x")
    share.delete()
    Client().get(f"/shared/{text}/")
    assert text not in caplog.text


def test_others_and_viewers_share_nothing(web: Client, alice: User, bob: User, task: Task) -> None:
    share = Share.objects.create(task=task, hash="h", created_by=alice, expires_at=timezone.now())
    web.force_login(bob)
    assert web.get(f"/tasks/{task.pk}/shares/").status_code == 404
    assert web.post(f"/tasks/{task.pk}/shares/", {"days": "7"}).status_code == 404
    bob.groups.set(Group.objects.filter(name="Viewer"))
    assert web.post(f"/tasks/{task.pk}/shares/", {"days": "7"}).status_code == 403
    assert web.post(f"/tasks/{task.pk}/shares/{share.pk}/revoke/").status_code == 403
    assert Share.objects.get() == share


@pytest.mark.parametrize("days", ["", "0", "365", "x", "9" * 50])
def test_days_that_are_not_offered_are_refused(days: str, web: Client, task: Task) -> None:
    response = web.post(f"/tasks/{task.pk}/shares/", {"days": days})
    assert (response.status_code, "Choose one of 1, 7, 30 days." in text_of(response)) == (422, True)


def test_there_is_a_limit_to_links(web: Client, alice: User, task: Task) -> None:
    for _ in range(shares.MOST):
        shares.make(user=alice, task=task, days=1)
    assert web.post(f"/tasks/{task.pk}/shares/", {"days": "7"}).status_code == 422
    assert text_of(web.get(f"/tasks/{task.pk}/shares/")).count("/revoke/") == shares.MOST
