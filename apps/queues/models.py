"""Queues and what happened in them by the minute, workers that serve them, the signs of life of relay and sink."""

from django.conf import settings
from django.db import models

from apps.queues.querysets import QueueQuerySet, WorkerQuerySet

DIGEST_LENGTH = 32


class Order(models.TextChoices):
    """What a worker is told to do instead of taking tasks."""

    DRAIN = "DRAIN", "take nothing new"
    STOP = "STOP", "take nothing new, and leave once nothing runs"


class Queue(models.Model):
    """A named line of waiting tasks; it comes to be when a worker first serves it. Paused: nothing of it begins.

    At most `concurrency_limit` of it are with workers at once, and at most `rate_per_minute` begin; NULL is no limit.
    """

    name = models.CharField(max_length=100, primary_key=True)
    paused_at = models.DateTimeField(null=True)
    paused_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")

    concurrency_limit = models.PositiveIntegerField(null=True)
    rate_per_minute = models.FloatField(null=True)

    objects = QueueQuerySet.as_manager()

    class Meta:
        permissions = [("can_operate", "Can operate queues and workers")]

    def __str__(self) -> str:
        return self.name


class Environment(models.Model):
    """What workers have installed, once for all that have the same.

    `data`: {"python": version, "packages": {name: version}, ..} as they announce it.
    """

    digest = models.CharField(max_length=DIGEST_LENGTH, primary_key=True)
    data = models.JSONField()

    def __str__(self) -> str:
        return self.digest


class Worker(models.Model):
    """A worker process as its last heartbeat told it; `order` is what it is told, whether it has heard it or not."""

    name = models.CharField(max_length=200, primary_key=True)
    host = models.CharField(max_length=200)
    pid = models.BigIntegerField()
    queues = models.JSONField(default=list)
    concurrency = models.PositiveIntegerField()
    running = models.JSONField(default=list)
    draining = models.BooleanField(default=False)
    rss_bytes = models.BigIntegerField(null=True)
    environment = models.ForeignKey(Environment, models.SET_NULL, null=True, db_index=False, related_name="+")
    kinds = models.JSONField(default=list)  # names of those it has announced
    started_at = models.DateTimeField()
    last_seen_at = models.DateTimeField(db_index=True)
    left_at = models.DateTimeField(null=True)
    order = models.CharField(max_length=5, choices=Order.choices, default="", db_default="", blank=True)
    ordered_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")

    objects = WorkerQuerySet.as_manager()

    def __str__(self) -> str:
        return self.name

    @property
    def is_resting(self) -> bool:
        """Whether it takes nothing new: it was told so, or leaves by itself."""
        return bool(self.draining or self.order)


class Pulse(models.Model):
    """The last sign of life of what the web cannot ask itself: `relay`, `sink`, and `broker` as the relay sees it.

    `canary`: what the relay sends through the whole path of the outcomes; it left at `sent_at` and was recorded at
    `seen_at`.
    """

    name = models.CharField(max_length=20, primary_key=True)
    seen_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)
    trouble = models.TextField(blank=True)  # one sentence; empty when all is well

    def __str__(self) -> str:
        return self.name


class Minute(models.Model):
    """What happened in a queue in the minute that began `at`, by the database's clock.

    `waits` and `runs` are of those that finished or failed: how many by bucket (`apps.queues.spreads`).
    """

    at = models.DateTimeField()
    queue = models.CharField(max_length=100)
    created = models.PositiveIntegerField()
    finished = models.PositiveIntegerField()
    failed = models.PositiveIntegerField()
    cancelled = models.PositiveIntegerField()
    waits = models.JSONField(default=dict)
    runs = models.JSONField(default=dict)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["at", "queue"], name="minute_once")]

    def __str__(self) -> str:
        return f"{self.queue} {self.at}"


class BrokerLook(models.Model):
    """What RabbitMQ held in one of its queues when the relay last looked, and what the database counted right after.

    `ready`: messages that no consumer has been given; NULL when there is no such queue. Of a queue of tasks, whose name
    is `queue`: tasks that the database believes to wait there (`waiting`), those of them handed over more than a minute
    ago (`overdue`), and those that run.
    """

    name = models.CharField(max_length=255, primary_key=True)  # the broker's
    queue = models.CharField(max_length=100, blank=True)
    ready = models.BigIntegerField(null=True)
    consumers = models.PositiveIntegerField(default=0)
    waiting = models.PositiveIntegerField(default=0)
    overdue = models.PositiveIntegerField(default=0)
    running = models.PositiveIntegerField(default=0)
    looked_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name
