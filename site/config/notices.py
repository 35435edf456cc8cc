"""Where a sentence waits for the next page: in a cookie whose name is ours, as those of session and CSRF token are."""

from django.conf import settings
from django.contrib.messages.storage.cookie import CookieStorage
from django.contrib.messages.storage.fallback import FallbackStorage
from django.contrib.messages.storage.session import SessionStorage


class Cookie(CookieStorage):
    @property
    def cookie_name(self) -> str:  # type: ignore[override] # Django asks the instance alone
        name: str = settings.MESSAGES_COOKIE_NAME
        return name


class Notices(FallbackStorage):
    """What is too long for a cookie goes into the session."""

    storage_classes = (Cookie, SessionStorage)
