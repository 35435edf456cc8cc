"""Artifacts as they are stored: whole or not at all, once, and gone with the last task that has them."""

import itertools
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.base import ContentFile
from django.core.files.storage import storages

from apps.tasks import artifacts, services
from apps.tasks.artifacts import Verdict
from apps.tasks.clock import database_now, ticks
from apps.tasks.lifecycle import Status
from apps.tasks.models import Artifact, ArtifactChunk, StoredFile, Task
from tests.fixtures.statements import Statements
from tests.tasks.made import DATA, SIZE, chunks_of, files, keep
from tests.tasks.rows import a_task, an_attempt
from workers.messages import BadMessage

pytestmark = pytest.mark.django_db


@pytest.fixture
def task(alice: User) -> Task:
    task = a_task(alice, status=Status.FINISHED)
    an_attempt(task)
    return task


@pytest.fixture(autouse=True)
def folder(settings: Any, tmp_path: Path) -> Path:
    place = {"BACKEND": "config.folder.Folder", "OPTIONS": {"location": tmp_path}}
    settings.STORAGES = {**settings.STORAGES, "artifacts": place}
    return tmp_path


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_it_is_there_when_all_chunks_are_in_whatever_order(task: Task, folder: Path, order: tuple[int, ...]) -> None:
    before = ticks()
    chunks = chunks_of(task, DATA)
    for at in order:
        assert not Artifact.objects.exists()
        assert ticks() == before
        assert artifacts.store(*chunks[at]) == Verdict.STORED
    artifact = Artifact.objects.get()
    assert artifacts.opened(artifact).read() == DATA
    assert (artifact.name, artifact.content_type, artifact.file.size) == ("fit.csv", "text/csv", len(DATA))
    assert not ArtifactChunk.objects.exists()
    assert files(folder) == [DATA]
    assert ticks() > before


@pytest.mark.parametrize("data", [b"", b"x" * SIZE, b"x" * (SIZE + 1)])
def test_edges_of_chunks(task: Task, data: bytes) -> None:
    assert artifacts.opened(keep(task, data)).read() == data


def test_what_comes_twice_is_there_once(task: Task, folder: Path) -> None:
    chunks = chunks_of(task, DATA)
    for chunk, part in [chunks[0], chunks[0], chunks[1], chunks[0], chunks[2]]:
        assert artifacts.store(chunk, part) == Verdict.STORED
    for chunk, part in chunks:
        assert artifacts.store(chunk, part) == Verdict.DUPLICATE
    assert Artifact.objects.count() == 1
    assert not ArtifactChunk.objects.exists()


def test_an_interrupted_end_is_made_up_for_by_the_last_chunk_that_comes_again(
    task: Task, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> None:
        raise OSError("No space left on device")

    chunks = chunks_of(task, DATA)
    for chunk, part in chunks[:-1]:
        artifacts.store(chunk, part)
    with monkeypatch.context() as patched:
        patched.setattr("os.fsync", full)
        with pytest.raises(OSError, match="No space"):
            artifacts.store(*chunks[-1])
    assert not Artifact.objects.exists()
    assert files(folder) == []
    assert artifacts.store(*chunks[-1]) == Verdict.STORED
    assert artifacts.opened(Artifact.objects.get()).read() == DATA


def test_what_is_not_what_its_maker_said_is_refused(task: Task, folder: Path) -> None:
    *first, (last, _) = chunks_of(task, DATA)
    for chunk, part in first:
        artifacts.store(chunk, part)
    with pytest.raises(BadMessage, match="sha256"):
        artifacts.store(last, b"something else")
    assert not Artifact.objects.exists()
    assert not ArtifactChunk.objects.exists()
    assert files(folder) == []


def test_chunks_of_unknown_tasks_and_of_attempts_to_come_change_nothing(task: Task, alice: User) -> None:
    ((ahead, data),) = chunks_of(task, b"x", attempt=2)
    assert artifacts.store(ahead, data) == Verdict.STALE
    ((gone, data),) = chunks_of(task, b"x")
    services.delete(user=alice, numbers=[task.pk])
    assert artifacts.store(gone, data) == Verdict.UNKNOWN_TASK
    assert not ArtifactChunk.objects.exists()


def test_another_run_of_the_attempt_replaces_what_the_first_one_made(task: Task) -> None:
    for ordinal in range(3):
        keep(task, b"first %d" % ordinal, f"{ordinal}.txt", ordinal=ordinal)
    keep(task, b"second", "0.txt", run="r2")
    attempt = task.attempts.get()
    assert [(each.name, artifacts.opened(each).read()) for each in artifacts.of(attempt)] == [("0.txt", b"second")]


def test_shown_is_what_the_attempts_own_worker_made(task: Task) -> None:
    keep(task, b"of the other", worker="w2")
    mine = keep(task, b"mine", "mine.csv")
    assert artifacts.of(task.attempts.get()) == [mine]


def test_the_same_bytes_are_stored_once_and_go_with_the_last_task_that_has_them(
    alice: User, folder: Path, django_capture_on_commit_callbacks: Any
) -> None:
    tasks = [a_task(alice, status=Status.FINISHED) for _ in range(3)]
    for each in tasks:
        keep(each, DATA)
    keep(tasks[0], b"of the first alone", "own.txt", ordinal=1)
    assert files(folder) == sorted([DATA, b"of the first alone"])
    for each, left in zip(tasks, ([DATA], [DATA], []), strict=True):
        with django_capture_on_commit_callbacks(execute=True):
            services.delete(user=alice, numbers=[each.pk])
        assert files(folder) == left
    assert not StoredFile.objects.exists()


def test_many_tasks_are_deleted_with_few_statements(
    alice: User, django_capture_on_commit_callbacks: Any, statements: Statements
) -> None:
    tasks = [a_task(alice, status=Status.FINISHED) for _ in range(40)]
    for each in tasks:
        keep(each, b"%d" % each.pk)
    with statements() as queries, django_capture_on_commit_callbacks(execute=True):
        services.delete(user=alice, numbers=[each.pk for each in tasks])
    assert len(queries) < 30
    assert not StoredFile.objects.exists()


def test_any_storage_of_django_will_do(
    task: Task, alice: User, settings: Any, django_capture_on_commit_callbacks: Any
) -> None:
    place = {"BACKEND": "django.core.files.storage.InMemoryStorage"}
    settings.STORAGES = {**settings.STORAGES, "artifacts": place}
    artifact = keep(task, DATA)
    assert artifacts.opened(artifact).read() == DATA
    assert storages["artifacts"].exists(artifact.file.place)
    with django_capture_on_commit_callbacks(execute=True):
        services.delete(user=alice, numbers=[task.pk])
    assert not storages["artifacts"].exists(artifact.file.place)


def test_leftovers_of_what_never_became_whole_are_swept(task: Task, folder: Path) -> None:
    artifacts.store(*chunks_of(task, DATA)[0])
    artifacts.store(*chunks_of(task, DATA, ordinal=1)[0])
    ArtifactChunk.objects.filter(ordinal=0).update(arrived_at=database_now() - timedelta(days=2))
    StoredFile.objects.create(sha256="ab" * 32, size=1)
    storages["artifacts"].save("ab/" + "ab" * 32, ContentFile(b"x"))
    artifacts.sweep()
    assert [each.ordinal for each in ArtifactChunk.objects.all()] == [1]
    assert not StoredFile.objects.exists()
    assert files(folder) == []
