"""What happens when somebody signs in."""

from django.apps import AppConfig
from django.contrib.auth.signals import user_logged_in


class AccountsConfig(AppConfig):
    name = "apps.accounts"

    def ready(self) -> None:
        from apps.accounts import visits  # noqa: PLC0415 it needs the models

        user_logged_in.connect(visits.begin, dispatch_uid="visits")
