"""API tokens and one-time sign-in links, of which only hashes are stored; sessions; wrong passwords."""

from django.conf import settings
from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models


class Token(models.Model):
    """A bearer token for GraphQL: of a user, or of the sink or the workers (then without a user)."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, null=True, related_name="api_tokens")
    name = models.CharField(max_length=100, blank=True)
    prefix = models.CharField(max_length=12)
    hash = models.CharField(max_length=64, unique=True)
    scopes = models.JSONField(default=list)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True)
    last_used_on = models.DateField(null=True)
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        permissions = (("can_revoke_tokens", "Can see and revoke everybody's API tokens"),)

    def __str__(self) -> str:
        return f"{self.prefix}..."


class SignInLink(models.Model):
    """A link that signs its user in once; an invitation (`sets_password`) has them choose a password first."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="sign_in_links")
    hash = models.CharField(max_length=64, unique=True)
    sets_password = models.BooleanField(default=False)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"link for {self.user_id}"


class WrongPasswords(models.Model):
    """How often one was tried: for a name from an address, or from an address (`key`: a hash of them)."""

    key = models.CharField(max_length=64, primary_key=True)
    tries = models.PositiveIntegerField(default=0)
    began_at = models.DateTimeField()
    before_at = models.DateTimeField()  # the try before the last
    last_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"{self.tries} since {self.began_at}"


class Session(AbstractBaseSession):
    """A browser that is signed in."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, null=True, related_name="sessions")


class LastSeen(models.Model):
    """When a person was here last, to within five minutes."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, primary_key=True, related_name="last_seen")
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.user_id} at {self.at}"
