"""What Django does with this package when it starts: it listens to sign-ins and to changes of people."""

from django.apps import AppConfig


class Audit(AppConfig):
    name = "apps.audit"

    def ready(self) -> None:
        from apps.audit import signals  # noqa: F401, PLC0415 they connect themselves
