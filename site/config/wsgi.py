"""The WSGI application that gunicorn serves, with everything loaded that a request needs."""

import gc
import os
import sys

from django.core.wsgi import get_wsgi_application

gc.disable()  # what is loaded stays: to look for garbage in it takes a tenth of the start
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

application = get_wsgi_application()

from django.conf import settings  # noqa: E402 as everything of Django's, once it is set up
from django.urls import get_resolver  # noqa: E402

from config import liveness, patience  # noqa: E402


def _load() -> None:
    """The pages and the schema of GraphQL, which the first request would wait for."""
    on_sqlite = settings.DATABASES["default"]["ENGINE"].endswith("sqlite3")
    if hide := on_sqlite and "psycopg" not in sys.modules:
        # graphene-django would load it (0.2 s) for fields that only PostgreSQL has, and does without where it is not.
        sys.modules["psycopg"] = None  # type: ignore[assignment]
    try:
        get_resolver().url_patterns  # noqa: B018 reading it loads them
    finally:
        if hide:
            del sys.modules["psycopg"]


_load()
gc.freeze()
gc.enable()
liveness.watch()
patience.end()
