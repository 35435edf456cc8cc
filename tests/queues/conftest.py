"""The cast at the page of workers: alice owns tasks, bob is somebody else, sam is staff."""

import pytest
from django.contrib.auth.models import User
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
def web(client: Client, alice: User) -> Client:
    client.force_login(alice)
    return client
