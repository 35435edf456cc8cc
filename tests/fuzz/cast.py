"""Who asks, and what there is to be asked for: rows of every sort, alice's and bob's."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.contrib.auth.models import Permission, User
from django.test import Client
from django.utils import timezone
from graphql_relay import to_global_id

from apps.accounts import tokens
from apps.accounts.models import Token
from apps.accounts.permissions import PERSONAL, Scope
from apps.audit.models import Entry
from apps.queues.models import Queue
from apps.tasks import recording
from apps.tasks.models import Clock, Kind, Sweep, Task
from tests.queues.rows import PYTHON, a_worker
from tests.tasks.conftest import COIN, NOOP
from tests.tasks.events import batch, failed, finished, printed, progress, started
from tests.tasks.rows import a_task

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from apps.accounts.permissions import Scope as Scopes

# By the root field that needs them; anything else is good for anybody who writes.
FITTING = {
    "recordEvents": "sink", "claimTask": "worker", "cancelledAttempts": "worker", "pausedQueues": "worker",
    "auditEntries": "staff", "pauseQueue": "ops", "resumeQueue": "ops", "purgeQueue": "ops", "drainWorker": "ops",
    "stopWorker": "ops", "resumeWorker": "ops",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Pool:
    """What is there: `texts` and `ids` that name something, and tasks' `numbers`."""

    texts: Sequence[str]
    ids: Sequence[str]
    numbers: Sequence[int]


class Cast:
    """`senders`: by name, each posts a body."""

    def __init__(self) -> None:
        alice, bob, sam = (_person(name, staff=name == "sam") for name in ("alice", "bob", "sam"))
        self.pool = _rows(alice, bob, sam)
        everything = [*PERSONAL]
        given: dict[str, tuple[User | None, Sequence[Scopes]]] = {
            "writes": (alice, [Scope.TASKS_WRITE]),
            "reads": (alice, [Scope.TASKS_READ]),
            "ops": (sam, everything),
            "staff": (sam, everything),
            "other": (bob, everything),
            "sink": (None, [Scope.SINK]),
            "worker": (None, [Scope.WORKER]),
        }
        headers = {name: _token(*whose) for name, whose in given.items()}
        headers["revoked"], headers["expired"] = _token(bob, everything), _token(bob, everything)
        tokens.revoke(_stored(headers["revoked"]))
        Token.objects.filter(pk=_stored(headers["expired"]).pk).update(expires_at=timezone.now() - timedelta(seconds=1))
        headers |= {"nonsense": "Bearer nonsense", "basic": "Basic YWxpY2U6eA==", "empty": ""}
        self.senders = {name: _by_token(text) for name, text in headers.items()}
        self.senders |= {"anonymous": _client().generic}
        self.senders |= {"session": _by_session(alice), "staff session": _by_session(sam)}
        self.strangers = {"anonymous", "revoked", "expired", "nonsense", "basic", "empty"}


def _person(name: str, *, staff: bool) -> User:
    user = User.objects.create_user(name, is_staff=staff)
    if staff:
        user.user_permissions.add(*Permission.objects.filter(codename__in=["can_operate", "can_run_code"]))
    return user


def _token(user: User | None, scopes: Sequence[Scopes]) -> str:
    return f"Bearer {tokens.make(user=user, scopes=scopes)[1]}"


def _stored(header: str) -> Token:
    return Token.objects.get(prefix=header.removeprefix("Bearer ")[: tokens.SHOWN_LENGTH])


def _by_token(header: str) -> Callable[..., Any]:
    return _client(authorization=header).generic


def _by_session(user: User) -> Callable[..., Any]:
    client = _client(**{"x-csrftoken": "s" * 32})
    client.force_login(user)
    client.cookies["millrace_csrf"] = "s" * 32
    return client.generic


def _client(**headers: str) -> Client:
    headers["host"] = "localhost"
    return Client(enforce_csrf_checks=True, raise_request_exception=False, headers=headers)


def _rows(alice: User, bob: User, sam: User) -> Pool:
    now = timezone.now()
    Clock.objects.get_or_create(id=1)
    Kind.objects.create(name="demo.noop", doc="d", schema=NOOP, announced_at=now)
    Kind.objects.create(name="demo.coin", schema=COIN, announced_at=now, queue="coins")
    Kind.objects.create(name="code.python", schema={"type": "object"}, announced_at=now, runs_code=True)
    Queue.objects.bulk_create([Queue(name="default"), Queue(name="coins", paused_at=now, paused_by=sam)])
    for name in ("w1", "w2"):
        a_worker(name, environment=PYTHON)
    tasks = [each for owner in (alice, bob) for each in _tasks(owner)]
    operation = Sweep.objects.create(
        user=alice, act="retry", zone="UTC", count=3, last=9, begun_at=now, query="status:FAILED"
    )
    entry = Entry.objects.first()
    causes: list[Any] = list(Task.objects.filter(cause__isnull=False).values_list("cause", flat=True).distinct())
    numbers = [each.pk for each in tasks]
    rows: list[tuple[str, Any]] = [("Task", each.pk) for each in tasks] + [
        ("User", user.pk) for user in (alice, bob, sam)
    ]
    rows += [("Queue", "default"), ("Worker", "w1"), ("TaskKind", "demo.noop"), ("BulkOperation", operation.pk)]
    ids = [to_global_id(kind, str(key)) for kind, key in [*rows, ("AuditEntry", entry.pk if entry else 1)]]
    ids += [*causes, "w1", "w2", *map(str, numbers)]
    cursors = [to_global_id("at", str(tasks[0].pk)), to_global_id("at", f"{tasks[0].pk}~a task"), "Y2hhbmdlczoxLjAu"]
    names = [
        "a task",
        "demo.noop",
        "demo.noop",
        "demo.coin",
        "code.python",
        "default",
        "coins",
        "w1",
        "a key",
        "status:FAILED",
    ]
    return Pool([*names, *cursors, *causes], ids, numbers)


def _tasks(owner: User) -> list[Task]:
    """One for each thing that can have become of it."""
    waits, runs, ended, fails, gone = (a_task(owner, dispatch_at=timezone.now()) for _ in range(5))
    recording.record(
        [
            batch(started(runs), started(ended), started(fails)),
            batch(progress(runs, 0.5, "half"), printed(runs, 0, "hello\n"), printed(ended, 0, "bye\n")),
            batch(finished(ended), failed(fails)),
        ]
    )
    Task.objects.filter(pk=gone.pk).update(status="CANCELLED", dispatch_at=None, finished_at=timezone.now())
    return [waits, runs, ended, fails, gone]
