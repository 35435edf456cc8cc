"""The cast of the accounts' tests: alice is anybody, admin may do everything."""

import pytest
from django.contrib.auth.models import User


@pytest.fixture
def alice(db: None) -> User:
    return User.objects.create_user("alice", password="alice's own words")


@pytest.fixture
def admin(db: None) -> User:
    return User.objects.create_superuser("admin")
