"""What is stored about tasks: the row that is also the relay's outbox, its attempts, the kinds workers announced."""

from django.conf import settings
from django.db import models
from django.urls import reverse

from apps.queues.models import DIGEST_LENGTH
from apps.tasks.lifecycle import Reason, Status
from apps.tasks.querysets import CancelledAttemptQuerySet, TaskQuerySet

NAME_LENGTH = 200
KIND_LENGTH = 100
CAUSE_LENGTH = 16
KEY_LENGTH = 200
MAX_ATTEMPTS = 1
MAX_CRASHES = 3
RETRY_SECONDS = 10.0
PROGRESS_LENGTH = 200
WORKER_LENGTH = 200
RUN_LENGTH = 32
CONTENT_TYPE_LENGTH = 130


class Kind(models.Model):
    """A sort of work that some worker has announced."""

    name = models.CharField(max_length=KIND_LENGTH, primary_key=True)
    doc = models.TextField(blank=True)
    schema = models.JSONField(default=dict)  # JSON Schema of the parameters object
    queue = models.CharField(max_length=100, default="default")
    timeout_seconds = models.FloatField(null=True)
    max_attempts = models.PositiveIntegerField(default=MAX_ATTEMPTS, db_default=MAX_ATTEMPTS)
    max_crashes = models.PositiveIntegerField(default=MAX_CRASHES, db_default=MAX_CRASHES)
    retry_seconds = models.FloatField(default=RETRY_SECONDS, db_default=RETRY_SECONDS)
    runs_code = models.BooleanField(default=False, db_default=False)  # whatever a person writes
    announced_at = models.DateTimeField()

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name


class Task(models.Model):
    """What a person asked for.

    Of the due ones of a queue those of the highest `priority` are handed over first, among equals the longest due.

    `dispatch_at` is when the current attempt is to be handed to the broker, NULL once the broker has confirmed it, as
    it did last at `handed_at`.

    `attempt` never goes back. Since a person's last create or retry, `errors` of its attempts have ended with an error:
    with the last of `max_attempts` the task has failed; until then the pause before the next grows from
    `retry_seconds`. `crashes` are counted apart: runs that had begun and vanished with their process; `max_crashes` of
    them are enough.

    `request_digest` is of what was asked for under `idempotency_key`.

    `value_text` is the returned number as `repr` ("0.25", "nan"), because SQLite stores NaN as NULL; `value` is the
    same as a float, for sorting. `result` is what was returned as JSON text when it is no plain float.

    `cause` is the key of why it has failed (`apps.tasks.causes`), NULL unless it has.

    `progress` (0 to 1) and `progress_text` are what its attempt said last, at `progress_at`; they count while it runs.
    """

    name = models.CharField(max_length=NAME_LENGTH)
    kind = models.CharField(max_length=KIND_LENGTH)
    params = models.JSONField(default=dict)
    queue = models.CharField(max_length=100, default="default")
    priority = models.SmallIntegerField(default=0, db_default=0)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.QUEUEING)
    reason = models.CharField(max_length=30, choices=Reason.choices, blank=True)
    attempt = models.PositiveIntegerField(default=1)
    errors = models.PositiveIntegerField(default=0, db_default=0)
    max_attempts = models.PositiveIntegerField(default=MAX_ATTEMPTS, db_default=MAX_ATTEMPTS)
    retry_seconds = models.FloatField(default=RETRY_SECONDS, db_default=RETRY_SECONDS)
    crashes = models.PositiveIntegerField(default=0, db_default=0)
    max_crashes = models.PositiveIntegerField(default=MAX_CRASHES, db_default=MAX_CRASHES)
    timeout_seconds = models.FloatField(null=True)
    dispatch_at = models.DateTimeField(null=True)
    handed_at = models.DateTimeField(null=True)
    idempotency_key = models.CharField(max_length=KEY_LENGTH, null=True)  # noqa: DJ001 no key is equal to no other
    request_digest = models.CharField(max_length=64, default="", db_default="")
    worker = models.CharField(max_length=200, blank=True)
    value = models.FloatField(null=True)
    value_text = models.CharField(max_length=50, blank=True)
    progress = models.FloatField(null=True)
    progress_text = models.CharField(max_length=PROGRESS_LENGTH, default="", db_default="", blank=True)
    progress_at = models.DateTimeField(null=True)
    result = models.TextField(null=True)  # noqa: DJ001 NULL is "returned nothing", '""' is an empty text
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="tasks", db_index=False
    )
    cloned_from = models.BigIntegerField(null=True)  # no foreign key: that each deletion would have to look for
    created_at = models.DateTimeField()
    run_at = models.DateTimeField(null=True)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    run_seconds = models.FloatField(null=True)  # of the attempt that ended it, as its worker measured
    cause = models.CharField(max_length=CAUSE_LENGTH, null=True)  # noqa: DJ001 the indexes hold those that have one

    objects = TaskQuerySet.as_manager()
    existed = False  # answered instead of a new one, because its idempotency key was used before

    class Meta:
        indexes = [
            models.Index(
                fields=["queue", "-priority", "dispatch_at", "id"],
                name="task_due",
                condition=models.Q(dispatch_at__isnull=False),
            ),
            models.Index(
                fields=["queue", "handed_at"],
                name="task_in_broker",
                condition=models.Q(status=Status.QUEUEING, dispatch_at__isnull=True),
            ),
            models.Index(fields=["status", "id"], name="task_status"),
            models.Index(fields=["created_by", "id"], name="task_owner"),
            models.Index(fields=["created_by", "status", "id"], name="task_owner_status"),
            models.Index(fields=["kind", "id"], name="task_kind"),
            models.Index(
                fields=["finished_at", "id"], name="task_finished", condition=models.Q(finished_at__isnull=False)
            ),
            models.Index(fields=["run_seconds", "id"], name="task_ran", condition=models.Q(run_seconds__isnull=False)),
            models.Index(fields=["value", "id"], name="task_value", condition=models.Q(value__isnull=False)),
            models.Index(fields=["cause", "finished_at"], name="task_cause", condition=models.Q(cause__isnull=False)),
            models.Index(
                fields=["created_by", "cause", "finished_at"],
                name="task_owner_cause",
                condition=models.Q(cause__isnull=False),
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["created_by", "idempotency_key"],
                name="task_key_once",
                condition=models.Q(idempotency_key__isnull=False),
            )
        ]
        ordering = ("-id",)
        permissions = [
            ("can_run_code", "Can run code that they write"),
            ("can_see_all", "Can see everybody's tasks"),
            ("can_write", "Can create tasks, and act on those that they see"),
        ]

    def __str__(self) -> str:
        return f"{self.pk} {self.name}"


class Attempt(models.Model):
    """One numbered try at a task, from the moment a worker began it.

    `environment` is the digest of what its worker had installed; `peak_bytes` of memory at once; both when known.
    """

    task = models.ForeignKey(Task, models.CASCADE, related_name="attempts", db_index=False)
    number = models.PositiveIntegerField()
    worker = models.CharField(max_length=WORKER_LENGTH)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.RUNNING)
    reason = models.CharField(max_length=30, choices=Reason.choices, blank=True)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    run_seconds = models.FloatField(null=True)
    error_type = models.CharField(max_length=200, blank=True)
    error_message = models.TextField(blank=True)
    traceback = models.TextField(blank=True)
    cpu_seconds = models.FloatField(null=True)
    peak_bytes = models.BigIntegerField(null=True)
    environment = models.CharField(max_length=DIGEST_LENGTH, default="", db_default="", blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["task", "number"], name="attempt_once")]
        ordering = ("number",)

    def __str__(self) -> str:
        return f"{self.task_id} attempt {self.number}"

    @property
    def ran_seconds(self) -> float | None:
        """As its worker measured it, or until it was cancelled."""
        if self.run_seconds is None and self.finished_at:
            return (self.finished_at - self.started_at).total_seconds()
        return self.run_seconds


class OutputPiece(models.Model):
    """A piece of what an attempt printed on one worker: bytes `position` to `position + size`, as (stream, text).

    Where a run begins anew the pieces do too.
    """

    task = models.ForeignKey(Task, models.CASCADE, related_name="+", db_index=False)
    attempt = models.PositiveIntegerField()
    worker = models.CharField(max_length=WORKER_LENGTH)
    position = models.BigIntegerField()
    size = models.BigIntegerField()
    parts = models.JSONField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["task", "attempt", "worker", "position"], name="output_piece_once")
        ]

    def __str__(self) -> str:
        return f"{self.task_id} attempt {self.attempt} from {self.position}"


class StoredFile(models.Model):
    """The bytes of artifacts, in the storage "artifacts" under their sha256: once, however many have the same."""

    sha256 = models.CharField(max_length=64, primary_key=True)
    size = models.BigIntegerField()

    def __str__(self) -> str:
        return self.sha256

    @property
    def place(self) -> str:
        """Its name in the storage."""
        return f"{self.sha256[:2]}/{self.sha256}"


class ArtifactPlace(models.Model):
    """Which artifact of which run. `run`: two workers, or one after the other, may have run the same attempt."""

    task = models.ForeignKey(Task, models.CASCADE, related_name="+", db_index=False)
    attempt = models.PositiveIntegerField()
    worker = models.CharField(max_length=WORKER_LENGTH)
    run = models.CharField(max_length=RUN_LENGTH)
    ordinal = models.PositiveIntegerField()

    class Meta:
        abstract = True


class Artifact(ArtifactPlace):
    """Something that an attempt has made, whole. `shown`: it is what the handler returned, to be seen on the page."""

    task = models.ForeignKey(Task, models.CASCADE, related_name="artifacts", db_index=False)
    name = models.CharField(max_length=NAME_LENGTH)
    content_type = models.CharField(max_length=CONTENT_TYPE_LENGTH)
    shown = models.BooleanField()
    file = models.ForeignKey(StoredFile, models.PROTECT, related_name="artifacts")
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["task", "attempt", "worker", "run", "ordinal"], name="artifact_once")
        ]
        ordering = ("attempt", "ordinal")

    def __str__(self) -> str:
        return f"{self.task_id} attempt {self.attempt} {self.name}"

    @property
    def url(self) -> str:
        return reverse("artifacts:file", args=[self.pk, self.name])


class ArtifactChunk(ArtifactPlace):
    """Bytes of an artifact of which others are missing. Of the whole the last one tells `size` and `sha256`."""

    index = models.PositiveIntegerField()
    data = models.BinaryField()
    size = models.BigIntegerField(null=True)
    sha256 = models.CharField(max_length=64, blank=True)
    arrived_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["task", "attempt", "worker", "run", "ordinal", "index"], name="artifact_chunk_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.task_id} attempt {self.attempt} artifact {self.ordinal} chunk {self.index}"


class CancelledAttempt(models.Model):
    """An attempt that no worker is to run, or to go on with: its task was cancelled or deleted.

    Kept for as long as the broker may hold its message: a worker that connects later is told of it then.
    """

    task = models.BigIntegerField()  # which may be gone
    attempt = models.PositiveIntegerField()
    cancelled_at = models.DateTimeField(db_index=True)
    told_at = models.DateTimeField(null=True)  # when the relay told those connected

    objects = CancelledAttemptQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["id"], name="cancelled_untold", condition=models.Q(told_at__isnull=True))]

    def __str__(self) -> str:
        return f"{self.task} attempt {self.attempt}"


class TableLook(models.Model):
    """How somebody wants to see the table. `columns`: by name, as in `apps.tasks.columns`; none for the usual ones."""

    class Density(models.TextChoices):
        """How much stands on the screen."""

        ROOMY = "roomy", "Roomy"
        USUAL = "usual", "Usual"
        DENSE = "dense", "Dense"

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, primary_key=True, related_name="+")
    density = models.CharField(max_length=10, choices=Density.choices, default=Density.USUAL)
    columns = models.JSONField(default=list)

    def __str__(self) -> str:
        return f"table of {self.user_id}"


class Sweep(models.Model):
    """An act on all tasks that `query` finds, with its words for time meant as of `begun_at` in `zone`.

    It has come to the number `at` and goes as far as `last`: what is created later is left alone. `count` is what the
    person was shown, of which some may have been gone as it was begun; `refusal` the first sentence of why something
    was not done; `priority` what that act sets. `key` is of the form that it was begun with, which begins it once.
    """

    class Act(models.TextChoices):
        """What is done with each."""

        RETRY = "retry", "Retry"
        CANCEL = "cancel", "Cancel"
        DELETE = "delete", "Delete"
        PRIORITY = "priority", "Set priority of"

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    act = models.CharField(max_length=10, choices=Act.choices)
    priority = models.SmallIntegerField(null=True)
    query = models.TextField(blank=True)
    zone = models.CharField(max_length=100)
    count = models.BigIntegerField()
    last = models.BigIntegerField()
    at = models.BigIntegerField(default=0)
    done = models.BigIntegerField(default=0)
    refused = models.BigIntegerField(default=0)
    refusal = models.CharField(max_length=200, blank=True)
    stopped = models.BooleanField(default=False)
    begun_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    key = models.CharField(max_length=64, null=True)  # noqa: DJ001 no key is equal to no other

    matched = 0  # how many it found as it was begun, a moment ago

    class Meta:
        indexes = [models.Index(fields=["id"], name="sweep_open", condition=models.Q(ended_at__isnull=True))]
        constraints = [models.UniqueConstraint(fields=["user", "key"], name="sweep_key_once")]

    def __str__(self) -> str:
        return f"{self.act} {self.count}"

    @property
    def moved_on(self) -> int:
        """How many of those shown were none of them any more when their turn came; known at the end."""
        return max(self.count - self.done - self.refused, 0) if self.ended_at and not self.stopped else 0

    @property
    def percent(self) -> int:
        return 100 if self.ended_at else min(99, 100 * (self.done + self.refused) // max(self.count, 1))


class Clock(models.Model):
    """One row that moves on with every change a table of tasks would show; an unchanged page is told by it.

    `forgotten`: up to which tick no Change is kept any more.
    """

    ticks = models.BigIntegerField(default=0)
    forgotten = models.BigIntegerField(default=0, db_default=0)

    def __str__(self) -> str:
        return str(self.ticks)


class Change(models.Model):
    """Which tasks one tick was about: numbers of those `changed`, "number:owner" of those `gone`, with commas between.

    One row a transaction, however many tasks it has changed.
    """

    tick = models.BigIntegerField(primary_key=True)
    at = models.DateTimeField()
    changed = models.TextField()
    gone = models.TextField()

    def __str__(self) -> str:
        return str(self.tick)


class Share(models.Model):
    """A link by which anybody sees one task, as long as its maker does; only a hash of it is stored."""

    task = models.ForeignKey(Task, models.CASCADE, related_name="shares")
    hash = models.CharField(max_length=64, unique=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"link to task {self.task_id}"
