"""The cast of these tests: alice owns tasks, bob is somebody else, ana may do everything. RabbitMQ and its readers."""

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from apps.tasks.models import Kind
from tests.fixtures.asking import Asker
from tests.workers.fixtures import rabbit, start, web, worker

__all__ = ["rabbit", "start", "web", "worker"]

SCHEMA = {
    "type": "object",
    "properties": {
        "x": {},
        "paths": {"type": "integer", "minimum": 1, "maximum": 1_000_000, "default": 1000},
        "drift": {"type": "number", "default": 0.05},
    },
    "additionalProperties": False,
}


@pytest.fixture
def alice(db: None) -> User:
    return User.objects.create_user("alice")


@pytest.fixture
def bob(db: None) -> User:
    return User.objects.create_user("bob")


@pytest.fixture
def fit(db: None) -> Kind:
    """With a parameter of any JSON, a whole number and a number."""
    return Kind.objects.create(name="fit", schema=SCHEMA, announced_at=timezone.now())


@pytest.fixture
def visitor(client: Client, alice: User, fit: Kind) -> Client:
    client.force_login(alice)
    return client


@pytest.fixture
def desk(db: None) -> Client:
    """The browser of ana, an administrator."""
    desk = Client(raise_request_exception=False)
    desk.force_login(User.objects.create_superuser("ana"))
    return desk


@pytest.fixture
def asker(alice: User) -> Asker:
    return Asker.of(alice)
