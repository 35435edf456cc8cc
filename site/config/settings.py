"""Every setting of the web application and the relay, from the environment alone; secure by default."""

import os
import secrets
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from config import env, faults
from devstack.places import kept_port

env.collect()
ROOT = Path(__file__).resolve().parents[2]
ENV = env.choice("MILLRACE_ENV", ("development", "production"))
VAR = env.folder("MILLRACE_VAR", ROOT / "var")
SECRETS = env.secrets(VAR)

DEBUG = env.flag("MILLRACE_DEBUG", default=False)
SECRET_KEY = env.secret_key("MILLRACE_SECRET_KEY", SECRETS.get("secret_key", ""))
if not SECRET_KEY and "secrets.json" not in env.wrong:
    advice = f"run bin/setup, which writes {VAR / 'secrets.json'}, or set MILLRACE_SECRET_KEY"
    env.complain("MILLRACE_SECRET_KEY", f"no secret key: {advice}")
if not SECRET_KEY:
    SECRET_KEY = secrets.token_urlsafe(50)  # for the commands that tell what is wrong

PORT = env.whole_number("MILLRACE_PORT", kept_port(VAR), 1, 65535)
# Where people reach it, through a proxy that speaks HTTPS: the web itself listens on this machine alone.
PUBLIC_URL = env.origin("MILLRACE_PUBLIC_URL")
IS_HTTPS = PUBLIC_URL.startswith("https://")
TRUSTED_PROXIES = env.networks("MILLRACE_TRUSTED_PROXIES")
ALLOWED_HOSTS = [*env.hosts("MILLRACE_ALLOWED_HOSTS"), *([env.bare_host(PUBLIC_URL)] if PUBLIC_URL else [])]
if DEBUG and set(ALLOWED_HOSTS) - set(env.LOOPBACK):
    remedy = "unset it, or MILLRACE_ALLOWED_HOSTS and MILLRACE_PUBLIC_URL"
    env.complain("MILLRACE_DEBUG", f"MILLRACE_DEBUG shows pages with secrets, on this machine alone: {remedy}")
    DEBUG = False
# Whether people may have code run that they write; the workers ask the same (`workers.sandbox.settings`).
CODE = env.flag("MILLRACE_CODE", default=ENV == "development")
AUDIT_DAYS = env.whole_number("MILLRACE_AUDIT_DAYS", 365, 1, 36_500)
MUTATIONS_PER_MINUTE = env.whole_number("MILLRACE_MUTATIONS_PER_MINUTE", 30_000, 0, 10_000_000)
OPEN_TASKS_PER_PERSON = env.whole_number("MILLRACE_OPEN_TASKS_PER_PERSON", 1_000_000, 0, 1_000_000_000)
RABBITMQ_URL = env.brokers("RABBITMQ_URL")
# What the RabbitMQ of RABBITMQ_URL has; AMQP does not tell. Its own default is 30 minutes.
CONSUMER_TIMEOUT_SECONDS = env.whole_number("MILLRACE_CONSUMER_TIMEOUT_SECONDS", 1_800, 60, 31_536_000)
ALLOW_PLAINTEXT = env.flag("MILLRACE_ALLOW_PLAINTEXT", default=False)

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.humanize",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django_htmx",
    "apps.accounts",
    "apps.audit",
    "apps.queues",
    "apps.tasks",
    "apps.relay",
    "config",  # its commands and checks
]
MIDDLEWARE = [
    "config.no_body.NoBody",  # first, for it is the last to see an answer
    # First what puts headers on every answer: also on files, on redirects, on what the others refuse.
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "config.content_policy.ContentPolicy",
    "apps.audit.origins.Origins",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.common.CommonMiddleware",
    "config.graphql.ByToken",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "apps.accounts.remembered.RememberedPerson",
    "apps.accounts.middleware.RequireSignIn",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "config.errors.WrongMethod",
]
ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [ROOT / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

# SQLite: readers never wait (WAL), a commit is on the disk before it is answered (FULL), and a transaction takes the
# write lock at its start, where waiting is possible, not in its middle, where SQLite fails at once (IMMEDIATE).
SQLITE_OPTIONS = {
    "transaction_mode": "IMMEDIATE",
    "timeout": 20,
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA busy_timeout=20000",
}
# A server that takes connections and never answers would hold up each request for minutes.
POSTGRESQL_OPTIONS = {
    "connect_timeout": 5,
    "prepare_threshold": 5,  # psycopg's own; of `apps.tasks.cursors` alone, for Django's have no use for it
    "options": "-c lock_timeout=20s -c idle_in_transaction_session_timeout=60s",
}


def _database() -> dict[str, Any]:
    database = env.database("DATABASE_URL", VAR / "millrace.sqlite3")
    on_sqlite = database["ENGINE"].endswith("sqlite3")
    options: dict[str, Any] = SQLITE_OPTIONS if on_sqlite else POSTGRESQL_OPTIONS
    return {
        **database,
        "OPTIONS": {**database.get("OPTIONS", {}), **options},
        "CONN_MAX_AGE": None,
        "CONN_HEALTH_CHECKS": not on_sqlite,
    }


DATABASES = {"default": _database()}
# Of each process: health, charts, answers to polls. More than the usual 300: while something moves, each open table has
# several answers within the two seconds for which they are kept.
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "OPTIONS": {"MAX_ENTRIES": 1_000}}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "tasks:list"
LOGOUT_REDIRECT_URL = "login"

SESSION_ENGINE = "apps.accounts.sessions"
# A browser takes `__Host-` from no other host and over no other protocol.
SESSION_COOKIE_NAME = f"{'__Host-' * IS_HTTPS}millrace_session"
SESSION_COOKIE_SECURE = IS_HTTPS
SESSION_COOKIE_AGE = 12 * 3600
CSRF_COOKIE_NAME = f"{'__Host-' * IS_HTTPS}millrace_csrf"
CSRF_COOKIE_SECURE = IS_HTTPS
CSRF_COOKIE_HTTPONLY = True
MESSAGE_STORAGE = "config.notices.Notices"
MESSAGES_COOKIE_NAME = f"{'__Host-' * IS_HTTPS}millrace_messages"
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL] if PUBLIC_URL else []
CSRF_FAILURE_VIEW = "config.errors.csrf_failure"
SECURE_HSTS_SECONDS = env.whole_number("MILLRACE_HSTS_SECONDS", 0, 0, 63_072_000)
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
DATA_UPLOAD_MAX_MEMORY_SIZE = 1_048_576
DATA_UPLOAD_MAX_NUMBER_FIELDS = 2_000

LANGUAGE_CODE = "en"
USE_I18N = False
USE_TZ = True
TIME_ZONE = "UTC"

STATIC_URL = "/static/"
STATICFILES_DIRS = [ROOT / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "config.static.VersionedStaticFiles"},
    "artifacts": env.storage("MILLRACE_ARTIFACTS_STORAGE", "MILLRACE_ARTIFACTS_OPTIONS", VAR / "artifacts"),
}
# Served from the source folder, so that no collecting step stands between a clone and its first page.
WHITENOISE_USE_FINDERS = True
WHITENOISE_MAX_AGE = 3600
WHITENOISE_ALLOW_ALL_ORIGINS = False

DEFAULT_EXCEPTION_REPORTER_FILTER = "config.hidden.Hidden"
LOGGING_CONFIG = "config.logs.configure"
LOGGING = {"level": "WARNING"}

SILENCE = env.checks("MILLRACE_SILENCE")
SILENCED_SYSTEM_CHECKS = [
    *SILENCE,
    # Said by checks of ours: HSTS, secret key, cookies, DEBUG, ALLOWED_HOSTS.
    *("security.W004", "security.W009", "security.W012", "security.W016", "security.W018", "security.W020"),
    "security.W005",  # of the hosts below ours we know nothing
    "security.W021",
    "security.W008",  # the proxy redirects; who comes by http is this machine's own sink and workers
]
_MISTAKES = faults.in_production(SimpleNamespace(**globals()), os.environ) if ENV == "production" else ()
env.settle([f"{fault.id}: {fault.what} {fault.fix}" for fault in _MISTAKES if fault.id not in SILENCE])
