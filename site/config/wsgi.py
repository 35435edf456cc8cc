"""The WSGI application that gunicorn serves, with everything loaded that a request needs."""

import gc
import os
import sys

from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.core.wsgi import get_wsgi_application

gc.disable()  # what is loaded stays: to look for garbage in it takes a tenth of the start
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")


def _loaded() -> WSGIHandler:
    """With the pages and the schema of GraphQL, which the first request would wait for."""
    on_sqlite = settings.DATABASES["default"]["ENGINE"].endswith("sqlite3")
    if hide := on_sqlite and "psycopg" not in sys.modules:
        # graphene-django would load it (0.1 s) for fields that only PostgreSQL has, and does without where it is not.
        sys.modules["psycopg"] = None  # type: ignore[assignment]
    try:
        handler = get_wsgi_application()
        from django.urls import get_resolver  # noqa: PLC0415 as everything of Django's, once it is set up

        get_resolver().url_patterns  # noqa: B018 reading it loads them
    finally:
        if hide:
            del sys.modules["psycopg"]
    return handler


application = _loaded()

from config import liveness, patience  # noqa: E402 once Django is set up

gc.freeze()
gc.enable()
liveness.watch()
patience.end()
