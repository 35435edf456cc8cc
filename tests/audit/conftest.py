"""The cast of the audit log's tests: alice owns a task, ana is staff who operates, sam staff who may not."""

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.utils import timezone

from apps.tasks.models import Kind


@pytest.fixture
def alice(db: None) -> User:
    return User.objects.create_user("alice", password="alice's own words")


@pytest.fixture
def sam(db: None) -> User:
    return User.objects.create_user("sam", is_staff=True)


@pytest.fixture
def ana(db: None) -> User:
    ana = User.objects.create_user("ana", is_staff=True)
    ana.user_permissions.add(Permission.objects.get(codename="can_operate"))
    return ana


@pytest.fixture
def noop(db: None) -> Kind:
    return Kind.objects.create(name="demo.noop", schema={"type": "object"}, announced_at=timezone.now())


@pytest.fixture
def desk(ana: User) -> Client:
    """The browser of ana, on a machine of its own."""
    desk = Client(REMOTE_ADDR="192.0.2.7")
    desk.force_login(ana)
    return desk
