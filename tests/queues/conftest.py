"""The cast at the pages of queues and workers: alice owns tasks, bob is somebody else, sam is staff, ana operates."""

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client


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
def ana(db: None) -> User:
    """Staff who may operate; sam is staff who may not."""
    ana = User.objects.create_user("ana", is_staff=True)
    ana.user_permissions.add(Permission.objects.get(codename="can_operate"))
    return ana


@pytest.fixture
def desk(ana: User) -> Client:
    """The browser of ana."""
    desk = Client()
    desk.force_login(ana)
    return desk


@pytest.fixture
def web(client: Client, alice: User) -> Client:
    client.force_login(alice)
    return client
