"""What only a connection can tell: the faults of database, broker, workers, clock and disk, for the doctor."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone
from django.utils.text import get_text_list

from apps.accounts.models import Token
from apps.accounts.permissions import Scope
from apps.queues.environments import summaries
from apps.queues.models import Worker
from apps.tasks.clock import database_now
from apps.tasks.lifecycle import LIVE
from apps.tasks.models import Kind, Task
from config.errors import first_line
from config.faults import Fault
from devstack import credentials, disk
from workers.broker import BadAddress, BrokerLost, open_connection, parse_addresses
from workers.options import refuse

if TYPE_CHECKING:
    from collections.abc import Iterator

ANSWER_SECONDS = 5.0
CLOCK_SECONDS = 5.0
YEAR_OF_THIS = 2026
FULL = 2  # of SQLite's synchronous
ENOUGH_BYTES, LEAST_BYTES = 1_000_000_000, 200_000_000  # of a disk; below the least RabbitMQ takes nothing


def faults_beside_database() -> Iterator[Fault]:
    yield from asyncio.run(_of_broker())
    yield from _of_disk()


def of_database() -> Iterator[Fault]:
    """What follows from one that cannot be used is left out."""
    try:
        if missing := unapplied():
            what = f"The database lacks {missing} migration{'' if missing == 1 else 's'}."
            yield Fault("millrace.E102", what, "Run ./manage.py prepare.")
            return
        yield from _of_durability()
        yield from _of_clock()
        yield from _of_tokens()
        yield from _of_sandboxes()
        yield from _of_time_limits()
    except (DatabaseError, InterfaceError, OSError) as error:
        said = first_line(error)
        fix = "Start the database, and look at DATABASE_URL and whether this user may open it."
        yield Fault("millrace.E101", f"The database cannot be used: {said}.", fix)


def refuse_old_database() -> None:
    """Ends a process of production that would find other tables than it expects. One that is away is waited for."""
    if settings.ENV != "production" or "millrace.E102" in settings.SILENCE:
        return
    with suppress(DatabaseError, InterfaceError):
        missing = unapplied()
        connection.close()
        if missing:
            refuse(f"millrace.E102: the database needs ./manage.py prepare ({missing} unapplied migrations)")


def unapplied() -> int:
    """How many migrations. Raises what the database raises."""
    executor = MigrationExecutor(connection)
    return len(executor.migration_plan(executor.loader.graph.leaf_nodes()))


def _of_durability() -> Iterator[Fault]:
    if connection.vendor == "sqlite":
        (level,) = _row("PRAGMA synchronous")
        if level < FULL:
            what = "SQLite's synchronous is below FULL: a power cut may take away what was answered as created."
            yield Fault("millrace.E103", what, "Leave DATABASES' init_command as it is.")
    elif (level := _row("SHOW synchronous_commit")[0]) == "off":
        what = "PostgreSQL's synchronous_commit is off: a crash may take away what was answered as created."
        yield Fault("millrace.E103", what, "Set synchronous_commit = on.")


def _row(sql: str) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchone()


def _of_clock() -> Iterator[Fault]:
    here, there = datetime.now(UTC), database_now()
    if here.year < YEAR_OF_THIS or abs(here - there) > timedelta(seconds=CLOCK_SECONDS):
        ours, its = (f"{moment:%Y-%m-%d %H:%M:%S}" for moment in (here, there))
        what = f"The clocks are not right: here it is {ours}, for the database {its} (UTC)."
        yield Fault("millrace.E108", what, "Have both machines set by NTP.")


def _of_tokens() -> Iterator[Fault]:
    """Of processes; a valid one of each is needed, wherever it was made."""
    now = timezone.now()
    valid = [
        token.scopes
        for token in Token.objects.filter(revoked_at=None, user=None)
        if token.expires_at is None or token.expires_at > now
    ]
    for scope in (Scope.SINK, Scope.WORKER):
        if not any(scope in scopes for scopes in valid):
            so = "outcomes do not come home" if scope is Scope.SINK else "workers cannot ask what is to be run"
            what = f"There is no valid token for the {scope}, so {so}."
            yield Fault("millrace.E104", what, f"Run ./manage.py prepare, or ./manage.py token create --scope {scope}.")


def _of_sandboxes() -> Iterator[Fault]:
    if not settings.CODE:
        return
    digests = Worker.objects.alive().exclude(environment=None).values_list("environment", flat=True).distinct()
    for summary in summaries(digests).values():
        if summary.is_less:
            names = Worker.objects.alive().filter(environment=summary.digest).values_list("name", flat=True)
            where = f"{', '.join(names[:3])} (sandbox: {summary.sandbox})"
            what = f"Code from the browser is shut in less well than it can be on {where}."
            yield Fault("millrace.W107", what, summary.fix or "See docs/code.md, or leave workers.sandbox out there.")


def _of_time_limits() -> Iterator[Fault]:
    """The private node waits longer than any of them may be."""
    if not settings.RABBITMQ_URL:
        return
    wait = settings.CONSUMER_TIMEOUT_SECONDS
    kinds = Kind.objects.filter(timeout_seconds__gte=wait).values_list("timeout_seconds", "name")
    tasks = Task.objects.filter(status__in=LIVE, timeout_seconds__gte=wait).values_list("timeout_seconds", "pk")
    for rows, who in ((kinds, "The kind"), (tasks, "Task")):
        if longest := rows.order_by("-timeout_seconds").first():
            limit, name = longest
            enough = int(limit or 0) + 60
            what = (
                f"{who} {name} may run {limit:,.0f} seconds, but RabbitMQ takes a delivery back after {wait:,} "
                "(its consumer_timeout) and hands it over again."
            )
            fix = (
                f"Set consumer_timeout = {enough * 1000} in rabbitmq.conf and "
                f"MILLRACE_CONSUMER_TIMEOUT_SECONDS={enough}, or lower the time limit."
            )
            yield Fault("millrace.E110", what, fix)


async def _of_broker() -> list[Fault]:
    """With each login that this machine knows, and with the one that nobody should have."""
    private = settings.SECRETS.get("broker") and not settings.RABBITMQ_URL
    roles = credentials.ROLES if private else ("relay",)
    if not (private or settings.RABBITMQ_URL):
        what = "There is neither a private RabbitMQ nor a RABBITMQ_URL."
        return [Fault("millrace.E105", what, "Run bin/setup, or set RABBITMQ_URL.")]
    urls = {role: settings.RABBITMQ_URL or credentials.amqp_url(settings.SECRETS, role) for role in roles}
    troubles: dict[str, list[str]] = {}
    for role, url in urls.items():
        if trouble := await _trouble(url):
            troubles.setdefault(trouble, []).append(role)
    fix = _how_to_start() if private else "Look at RABBITMQ_URL, and whether RabbitMQ runs there."
    found = [
        Fault("millrace.E105", f"RabbitMQ cannot be used by the {get_text_list(who, 'and')}: {trouble}.", fix)
        for trouble, who in troubles.items()
    ]
    if not found and not await _trouble(_as_guest(next(iter(urls.values())))):
        what = "RabbitMQ lets in guest, whose password everybody knows."
        found.append(Fault("millrace.E106", what, "Run rabbitmqctl delete_user guest."))
    return found


def _how_to_start() -> str:
    if settings.ENV == "production":
        return "Start the units (systemctl start millrace): the private RabbitMQ is one of their processes."
    return "Start bin/dev."


async def _trouble(urls: str) -> str:
    """Why none of these addresses can be used; empty when one can."""
    trouble = ""
    try:
        addresses = parse_addresses(urls)
    except BadAddress as error:
        return str(error)
    for address in addresses:
        try:
            opened = await asyncio.wait_for(open_connection(address), ANSWER_SECONDS)
        except BrokerLost as lost:
            trouble = f"{address.shown}: {lost}"
        except TimeoutError:
            trouble = f"{address.shown}: it does not answer"
        else:
            await opened.close()
            return ""
    return trouble


def _as_guest(urls: str) -> str:
    split = urlsplit(urls.split(",", maxsplit=1)[0].strip())
    return split._replace(netloc=f"guest:guest@{split.netloc.rpartition('@')[2]}").geturl()


def _of_disk() -> Iterator[Fault]:
    with suppress(OSError):
        free = disk.free_bytes(settings.VAR)
        if free < ENOUGH_BYTES:
            fault_id = "millrace.E109" if free < LEAST_BYTES else "millrace.W109"
            what = f"The disk of {settings.VAR} has {free // 1_000_000:,} MB left; below 200 MB RabbitMQ takes nothing."
            yield Fault(fault_id, what, "Make room on it.")
