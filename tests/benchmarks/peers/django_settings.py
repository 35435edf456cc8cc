"""Of the peers that live in a Django project."""

from urllib.parse import parse_qs, urlsplit

from tests.benchmarks.peers.work import POSTGRESQL, SLOTS

_server = urlsplit(POSTGRESQL)
SECRET_KEY = "benchmark"
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django_celery_results",
    "django_tasks",
    "django_tasks_db",
    "django_q",
]
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "HOST": parse_qs(_server.query)["host"][0],
        "USER": _server.username,
        "NAME": _server.path[1:],
        "CONN_MAX_AGE": None,
    }
}
TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend"}}
Q_CLUSTER = {
    "name": "peers",
    "workers": SLOTS,
    "save_limit": 0,
    "log_level": "ERROR",
    "timeout": 60,
    "retry": 120,
    "bulk": 20,
    "ack_failures": True,
    "orm": "default",
}
