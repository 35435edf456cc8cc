"""What makes settings unsafe: each fault with the id that names it, what is wrong, and what to do.

Nothing here needs Django or a connection: a production start asks before anything else, the commands `check` and
`doctor` through Django's checks (`config.checks`).
"""

from __future__ import annotations

import stat
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from config import env
from devstack import credentials
from devstack.options import unknown_variables
from devstack.screen import Stop
from workers.address import BadAddress, is_here, parse_addresses

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

LEAST_TOKEN = 32
TEST_HOOKS = ("CHAOS_", "MILLRACE_TEST_", "MILLRACE_BROWSER", "DJANGO_ALLOW_ASYNC_UNSAFE")


@dataclass(frozen=True, slots=True)
class Fault:
    """`id`: as in MILLRACE_SILENCE; E stops a production start, W does not. Two sentences."""

    id: str
    what: str
    fix: str

    @property
    def is_error(self) -> bool:
        return self.id.partition(".")[2].startswith("E")


def anywhere(settings: Any) -> Iterator[Fault]:
    """Those of any start. `settings`: Django's, or their module's names."""
    for sentence in env.wrong.values():
        yield Fault("millrace.E001", _whole(sentence), "Set the variable to what is accepted, or unset it.")
    for sentence in unknown_variables():
        fault_id = "millrace.E002" if settings.ENV == "production" else "millrace.W002"
        yield Fault(fault_id, _whole(sentence), "Correct the name, or unset the variable.")
    yield from _files(settings)


def _whole(sentence: str) -> str:
    return f"{sentence[:1].upper()}{sentence[1:]}{'' if sentence.endswith('?') else '.'}"


def in_production(settings: Any, environment: Mapping[str, str]) -> Iterator[Fault]:
    """Those for which a production start is refused, unless each is named in MILLRACE_SILENCE."""
    yield from (fault for fault in anywhere(settings) if fault.id != "millrace.E001")
    yield from (fault for fault in of_deploy(settings, environment) if fault.is_error)


def of_deploy(settings: Any, environment: Mapping[str, str]) -> Iterator[Fault]:
    for look in (_environment, _secret_key, _addresses, _cookies, _database, _broker, _tokens):
        yield from look(settings)
    yield from _test_hooks(environment)


def _environment(settings: Any) -> Iterator[Fault]:
    if settings.ENV != "production":
        what = "MILLRACE_ENV is not production, so an unsafe start is not refused."
        yield Fault("millrace.W003", what, "Set MILLRACE_ENV=production.")
    if settings.DEBUG:
        what = "DEBUG is on: an error's page shows code, settings and what was sent."
        yield Fault("millrace.E005", what, "Unset MILLRACE_DEBUG.")


def _secret_key(settings: Any) -> Iterator[Fault]:
    key = settings.SECRET_KEY
    if len(key) < 50 or len(set(key)) < 5 or key.startswith("django-insecure"):
        what = "The secret key can be guessed, and with it sessions can be forged."
        fix = (
            "Unset MILLRACE_SECRET_KEY to have the one of secrets.json, or make one: "
            "python3 -c 'import secrets; print(secrets.token_urlsafe(50))'."
        )
        yield Fault("millrace.E004", what, fix)


def _addresses(settings: Any) -> Iterator[Fault]:
    public, at = settings.PUBLIC_URL, urlsplit(settings.PUBLIC_URL)
    if not public:
        what = "MILLRACE_PUBLIC_URL is not set, so it is not known whether people come by HTTPS."
        yield Fault(
            "millrace.E006", what, "Set it to where people reach Millrace, such as https://millrace.example.org."
        )
    elif at.scheme != "https" and not is_here(at.hostname or ""):
        what = f"Passwords and sessions travel readable to {public}."
        yield Fault("millrace.E007", what, "Put a proxy with HTTPS in front and name its https:// address.")
    hosts = set(settings.ALLOWED_HOSTS) - set(env.LOOPBACK)
    if "*" in hosts or not (hosts or is_here(at.hostname or "x")):
        what = "Every Host header is answered." if hosts else "No host but this machine is answered."
        yield Fault("millrace.E009", what, "Name the hosts in MILLRACE_ALLOWED_HOSTS, or set MILLRACE_PUBLIC_URL.")
    others = [urlsplit(origin) for origin in settings.CSRF_TRUSTED_ORIGINS if origin != public]
    if any(other.scheme == "http" and not is_here(other.hostname or "x") for other in others):
        what = "A page that came without HTTPS, which anybody on its way can change, may send forms."
        yield Fault("millrace.E010", what, "Take the http:// origin out of CSRF_TRUSTED_ORIGINS.")


def _cookies(settings: Any) -> Iterator[Fault]:
    if not settings.PUBLIC_URL.startswith("https://"):
        return
    if not (settings.SESSION_COOKIE_SECURE and settings.CSRF_COOKIE_SECURE):
        what = "The public URL is https, but cookies are sent without HTTPS too."
        yield Fault("millrace.E008", what, "Set SESSION_COOKIE_SECURE and CSRF_COOKIE_SECURE.")
    if not settings.SECURE_HSTS_SECONDS:
        what = "Browsers are not told to come by HTTPS only, so the first request can be caught."
        yield Fault("millrace.W018", what, "Set MILLRACE_HSTS_SECONDS=3600, and 31536000 once all works.")
    if not settings.TRUSTED_PROXIES:
        what = "It is not known which proxy stands in front, so everybody seems to come from the proxy."
        remedy = "Set MILLRACE_TRUSTED_PROXIES=127.0.0.1 or where else it is (it has to append to X-Forwarded-For)."
        yield Fault("millrace.W019", what, remedy)


def _database(settings: Any) -> Iterator[Fault]:
    database = settings.DATABASES["default"]
    options = database.get("OPTIONS", {})
    if database["ENGINE"].endswith("sqlite3"):
        said = str(options.get("init_command", "")).replace(" ", "").lower()
        if not any(f"synchronous={word}" in said for word in ("full", "extra", "2", "3")):
            what = "SQLite's synchronous is below FULL: a power cut may take away what was answered as created."
            yield Fault("millrace.E011", what, "Leave DATABASES' init_command as it is.")
        return
    remote = [host for host in str(database.get("HOST", "")).split(",") if not is_here(host)]
    if remote and options.get("sslmode") != "verify-full" and not settings.ALLOW_PLAINTEXT:
        what = f"The way to the database on {remote[0]} may be read or taken over by others."
        fix = "Append ?sslmode=verify-full&sslrootcert=system to DATABASE_URL, or set MILLRACE_ALLOW_PLAINTEXT=1."
        yield Fault("millrace.E014", what, fix)


def _broker(settings: Any) -> Iterator[Fault]:
    try:
        addresses = parse_addresses(settings.RABBITMQ_URL) if settings.RABBITMQ_URL else ()
    except BadAddress:  # E001 has it
        return
    if any(each.parameters.credentials.username == "guest" for each in addresses):
        what = "RABBITMQ_URL names RabbitMQ's user guest, whose password everybody knows."
        yield Fault("millrace.E012", what, "Make users of Millrace's own (docs/configuration.md) and delete guest.")
    remote = [each for each in addresses if not (each.parameters.ssl_options or is_here(each.parameters.host))]
    if remote and not settings.ALLOW_PLAINTEXT:
        what = f"Passwords and tasks travel readable to RabbitMQ at {remote[0].shown}."
        yield Fault("millrace.E013", what, "Use amqps:// in RABBITMQ_URL, or set MILLRACE_ALLOW_PLAINTEXT=1.")


def _tokens(settings: Any) -> Iterator[Fault]:
    if "secrets.json" in env.wrong:
        return
    names = ("sink_token", "worker_token")
    ours = [settings.SECRETS.get(name, "") for name in names]
    if min(map(len, ours)) < LEAST_TOKEN or ours[0] == ours[1]:
        what = "The tokens of sink and workers are missing, short, or one and the same."
        yield Fault(
            "millrace.E015", what, "Remove secrets.json from MILLRACE_VAR and run bin/setup: it makes new ones."
        )
    elif (dev := settings.ROOT / "var") != settings.VAR:
        known = _secrets(dev)
        if {known.get(name) for name in names} & set(ours):
            what = f"The tokens of sink and workers are those of the data folder {dev}."
            fix = "Do not copy secrets.json: remove it from MILLRACE_VAR and run bin/setup, which makes new ones."
            yield Fault("millrace.E015", what, fix)


def _secrets(folder: Path) -> dict[str, Any]:
    try:
        return credentials.read(folder)
    except Stop:
        return {}


def _files(settings: Any) -> Iterator[Fault]:
    """What others on this machine may read. A private folder keeps what is in it."""
    database = settings.DATABASES["default"]
    paths = [settings.VAR, settings.VAR / "secrets.json", settings.VAR / "broker"]
    if database["ENGINE"].endswith("sqlite3") and settings.VAR not in (file := Path(database["NAME"])).parents:
        paths += [file] if _is_open(file.parent) else []
    for path in filter(_is_open, paths):
        fix = f"chmod {'700' if path.is_dir() else '600'} {path}"
        yield Fault("millrace.E016", f"Others on this machine may look into {path}.", fix)


def _is_open(path: Path) -> bool:
    with suppress(OSError):  # there is nothing to look into, or not for us
        return bool(stat.S_IMODE(path.stat().st_mode) & 0o077)
    return False


def _test_hooks(environment: Mapping[str, str]) -> Iterator[Fault]:
    for name in sorted(environment):
        if name.startswith(TEST_HOOKS):
            yield Fault("millrace.E017", f"{name}, which is for tests alone, is set.", "Unset it.")
