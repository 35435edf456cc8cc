"""The cast at the GraphQL door: alice is anybody, sam is staff, and the two processes have tokens of their own."""

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from apps.accounts.permissions import Scope
from apps.tasks.models import Kind
from tests.fixtures.asking import Asker


@pytest.fixture
def alice(db: None) -> User:
    return User.objects.create_user("alice")


@pytest.fixture
def sam(db: None) -> User:
    return User.objects.create_user("sam", is_staff=True)


@pytest.fixture
def asker(alice: User) -> Asker:
    return Asker.of(alice)


@pytest.fixture
def sink(db: None) -> Asker:
    return Asker.of(None, Scope.SINK)


@pytest.fixture
def worker(db: None) -> Asker:
    return Asker.of(None, Scope.WORKER)


@pytest.fixture
def noop(db: None) -> Kind:
    return Kind.objects.create(name="demo.noop", schema={"type": "object"}, announced_at=timezone.now())
