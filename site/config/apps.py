"""What Django does with this package when it starts: it learns the checks of settings."""

from django.apps import AppConfig


class Config(AppConfig):
    name = "config"

    def ready(self) -> None:
        from config import checks  # noqa: F401, PLC0415 they register themselves
