"""The cast of the tasks' tests: alice owns tasks, bob is somebody else, sam is staff."""

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from apps.tasks.models import Kind

NOOP = {"type": "object", "properties": {"x": {}}, "additionalProperties": False}
COIN = {
    "type": "object",
    "properties": {
        "failure_rate": {"type": "number", "minimum": 0, "maximum": 1, "default": 0.4},
        "sides": {"type": "integer", "exclusiveMinimum": 1},
        "side": {"enum": ["heads", "tails"]},
    },
    "required": ["sides"],
    "additionalProperties": False,
}


@pytest.fixture
def alice(db: None) -> User:
    return User.objects.create_user("alice")


@pytest.fixture
def bob(db: None) -> User:
    return User.objects.create_user("bob")


@pytest.fixture
def sam(db: None) -> User:
    return User.objects.create_user("sam", is_staff=True)


@pytest.fixture
def kinds(db: None) -> dict[str, Kind]:
    rows = [
        Kind(name="demo.noop", doc="Returns x.", schema=NOOP, announced_at=timezone.now()),
        Kind(name="demo.coin", doc="Throws a coin.", schema=COIN, announced_at=timezone.now(), queue="coins"),
    ]
    return {kind.name: kind for kind in Kind.objects.bulk_create(rows)}


@pytest.fixture
def web(client: Client, alice: User, kinds: dict[str, Kind]) -> Client:
    client.force_login(alice)
    return client
