"""Artifacts as tests have them made."""

import hashlib
from pathlib import Path
from typing import Any

from apps.tasks import artifacts
from apps.tasks.models import Artifact, Task
from workers.artifacts import Chunk, Label

SIZE = 1000  # of a chunk here


def chunks_of(task: Task, data: bytes, name: str = "fit.csv", **more: Any) -> list[tuple[Chunk, bytes]]:
    parts = [data[at : at + SIZE] for at in range(0, len(data), SIZE)] or [b""]
    label = Label(name=name, content_type=more.pop("content_type", "text/csv"), shown=more.pop("shown", False))
    place: dict[str, Any] = {"task": task.pk, "attempt": 1, "worker": "w1", "run": "r1", "ordinal": 0, **more}
    whole: dict[str, Any] = {"size": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    return [
        (Chunk(**place, index=index, label=label, **(whole if index == len(parts) - 1 else {})), part)
        for index, part in enumerate(parts)
    ]


def keep(task: Task, data: bytes, name: str = "fit.csv", **more: Any) -> Artifact:
    for chunk, part in chunks_of(task, data, name, **more):
        artifacts.store(chunk, part)
    return Artifact.objects.get(task=task, name=name, run=more.get("run", "r1"))


def files(folder: Path) -> list[bytes]:
    return sorted(path.read_bytes() for path in folder.rglob("*") if path.is_file())


DATA = bytes(range(256)) * 10
