"""What attempts have made: chunks stored as they arrive, files once they are whole, and nothing kept for nobody.

Chunks may come twice, late and out of order. The storage is slow and knows no transaction, so nothing waits for it in
one, but where a file could be removed while another artifact comes to use it: there both hold its row.
"""

from __future__ import annotations

import hashlib
import time
from datetime import timedelta
from enum import StrEnum
from tempfile import SpooledTemporaryFile
from typing import IO, TYPE_CHECKING, Any

from django.core.files import File
from django.core.files.storage import storages
from django.db import transaction
from django.db.models import Count, Exists, Max, OuterRef, Q

from apps.tasks.clock import database_now, tick
from apps.tasks.models import Artifact, ArtifactChunk, StoredFile, Task
from workers.messages import BadMessage

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from django.core.files.storage import Storage
    from django.db.models import QuerySet

    from apps.tasks.models import Attempt
    from workers.artifacts import Chunk

KEPT = timedelta(days=1)  # chunks of what has not become whole
SWEEP_SECONDS = 3600.0
MOST_AT_ONCE = 500
IN_MEMORY = 1_048_576


class Verdict(StrEnum):
    """What became of a chunk: in each case it need not come again."""

    STORED = "STORED"
    DUPLICATE = "DUPLICATE"
    STALE = "STALE"
    UNKNOWN_TASK = "UNKNOWN_TASK"


def store(chunk: Chunk, data: bytes) -> Verdict:
    """Raises BadMessage when the whole is not what its maker said that it is."""
    _sweep_now_and_then()
    if (verdict := _store(chunk, data)) is not Verdict.STORED:
        return verdict
    last = _last_if_whole(chunk)
    if last is None:
        return Verdict.STORED
    with SpooledTemporaryFile(IN_MEMORY) as whole:
        _join(_chunks(chunk), whole)
        if not _is_sound(whole, last):
            if Artifact.objects.filter(**_place(chunk)).exists():
                return Verdict.DUPLICATE  # another process has made it whole, and removed chunks meanwhile
            _chunks(chunk).delete()
            raise BadMessage("the artifact is not what its sha256 says")
        return _keep(chunk, StoredFile(sha256=last.sha256, size=whole.tell()), File(whole))


def of(attempt: Attempt, of_task: Iterable[Artifact] | None = None) -> list[Artifact]:
    """What its own worker has made of it, whole. `of_task`: all of its task's, where they are at hand."""
    if of_task is None:
        of_task = Artifact.objects.filter(task=attempt.task_id).select_related("file")
    mine = (attempt.number, attempt.worker)
    return [each for each in of_task if (each.attempt, each.worker) == mine]


def opened(artifact: Artifact) -> IO[bytes]:
    """Raises FileNotFoundError when the storage has lost it."""
    file: IO[bytes] = _storage().open(artifact.file.place)
    return file


def files_of(tasks: Collection[int]) -> list[str]:
    """The sha256 of each that these tasks use."""
    return list(Artifact.objects.filter(task__in=tasks).order_by().values_list("file", flat=True).distinct())


def sweep() -> None:
    """Remove what nobody needs: chunks of what never became whole, files that no artifact uses."""
    ArtifactChunk.objects.filter(arrived_at__lt=database_now() - KEPT).delete()
    sweep_files(list(_unused().values_list("sha256", flat=True)[: 20 * MOST_AT_ONCE]))


def sweep_files(files: Sequence[str]) -> None:
    """Remove those of them that no artifact uses."""
    for first in range(0, len(files), MOST_AT_ONCE):
        with transaction.atomic():
            some = files[first : first + MOST_AT_ONCE]
            locked = list(StoredFile.objects.filter(sha256__in=some).order_by("sha256").select_for_update())
            # Asked anew: an artifact may have come to use one while this waited for its row.
            unused = list(_unused().filter(sha256__in=[each.sha256 for each in locked]))
            for each in unused:
                _storage().delete(each.place)
            StoredFile.objects.filter(sha256__in=[each.sha256 for each in unused]).delete()


def _store(chunk: Chunk, data: bytes) -> Verdict:
    with transaction.atomic():
        newest = _attempt_of(chunk.task)
        if newest is None:
            return Verdict.UNKNOWN_TASK
        if chunk.attempt > newest:
            return Verdict.STALE
        if Artifact.objects.filter(**_place(chunk)).exists():
            return Verdict.DUPLICATE
        row = ArtifactChunk(
            **_place(chunk),
            index=chunk.index,
            data=data,
            size=chunk.size,
            sha256=chunk.sha256,
            arrived_at=database_now(),
        )
        ArtifactChunk.objects.bulk_create([row], ignore_conflicts=True)
    return Verdict.STORED


def _attempt_of(task: int) -> int | None:
    """Its newest attempt; locked, so that it is not deleted meanwhile."""
    return Task.objects.filter(pk=task).select_for_update(no_key=True).values_list("attempt", flat=True).first()


def _last_if_whole(chunk: Chunk) -> ArtifactChunk | None:
    """Its last chunk, when all have arrived."""
    found = _chunks(chunk).aggregate(count=Count("id"), last=Max("index", filter=Q(size__isnull=False)))
    if found["last"] is None or found["count"] <= found["last"]:
        return None
    return _chunks(chunk).defer("data").filter(index=found["last"]).first()


def _join(chunks: QuerySet[ArtifactChunk], whole: IO[bytes]) -> None:
    """One chunk in memory at a time."""
    indexes = list(chunks.order_by("index").values_list("index", flat=True))
    for index in indexes:
        data = chunks.filter(index=index).values_list("data", flat=True).first()
        whole.write(bytes(data or b""))


def _is_sound(whole: IO[bytes], last: ArtifactChunk) -> bool:
    whole.seek(0)
    digest = hashlib.file_digest(whole, "sha256").hexdigest()  # type: ignore[arg-type]
    return (whole.tell(), digest) == (last.size, last.sha256)


def _keep(chunk: Chunk, file: StoredFile, whole: File[bytes]) -> Verdict:
    _use(file)  # a row first: a file that is saved for a task that is deleted now is found by the sweep
    _save(file, whole)
    with transaction.atomic():
        if _attempt_of(chunk.task) is None:
            return Verdict.UNKNOWN_TASK
        _use(file)
        _save(file, whole)  # a sweep may just have removed it; none can from here on
        earlier = Artifact.objects.filter(task=chunk.task, attempt=chunk.attempt, worker=chunk.worker)
        earlier.exclude(run=chunk.run).delete()
        label = chunk.label
        shown = {"name": label.name, "content_type": label.content_type, "shown": label.shown}
        row = Artifact(**_place(chunk), **shown, file=file, created_at=database_now())
        Artifact.objects.bulk_create([row], ignore_conflicts=True)
        _chunks(chunk).delete()
        tick([chunk.task])
    return Verdict.STORED


def _use(file: StoredFile) -> None:
    """Its row, locked until the transaction ends."""
    StoredFile.objects.bulk_create([file], update_conflicts=True, unique_fields=["sha256"], update_fields=["size"])


def _save(file: StoredFile, whole: File[bytes]) -> None:
    storage = _storage()
    if storage.exists(file.place):
        return
    whole.seek(0)
    saved = storage.save(file.place, whole)
    if saved != file.place:  # another process was faster
        storage.delete(saved)


def _unused() -> QuerySet[StoredFile]:
    return StoredFile.objects.filter(~Exists(Artifact.objects.filter(file=OuterRef("pk"))))


def _chunks(chunk: Chunk) -> QuerySet[ArtifactChunk]:
    return ArtifactChunk.objects.filter(**_place(chunk))


def _place(chunk: Chunk) -> dict[str, Any]:
    return {
        "task_id": chunk.task,
        "attempt": chunk.attempt,
        "worker": chunk.worker,
        "run": chunk.run,
        "ordinal": chunk.ordinal,
    }


def _storage() -> Storage:
    return storages["artifacts"]


def _sweep_now_and_then() -> None:
    if time.monotonic() - _swept.get("at", -SWEEP_SECONDS) >= SWEEP_SECONDS:
        _swept["at"] = time.monotonic()
        sweep()


_swept: dict[str, float] = {}
