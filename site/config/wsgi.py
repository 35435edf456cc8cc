"""The WSGI application that gunicorn serves."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

application = get_wsgi_application()

from config import liveness, patience  # noqa: E402 as everything of Django's, once it is set up

liveness.watch()
patience.end()
