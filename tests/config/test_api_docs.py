"""Every example of docs/api.md is asked as it stands there, and understood."""

import json
import re
import shlex
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from apps.accounts.permissions import PERSONAL
from apps.queues.models import Queue
from apps.tasks.models import Kind, Task
from tests.fixtures.asking import Asker
from tests.fixtures.processes import ROOT
from tests.tasks.rows import a_task

BLOCKS = re.findall(r"(?:^    .*\n)+", (ROOT / "docs" / "api.md").read_text(), re.MULTILINE)
TEXTS = ["\n".join(line[4:] for line in block.splitlines()) for block in BLOCKS]
DOCUMENTS = [text for text in TEXTS if text.startswith(("{", "query", "mutation"))]


@pytest.fixture
def ana(db: None) -> Asker:
    """Of the task 12, who may do everything."""
    ana = User.objects.create_superuser("ana")
    sde = {"type": "object", "properties": {"paths": {"type": "integer"}}, "additionalProperties": False}
    Kind.objects.create(name="montecarlo.sde", schema=sde, announced_at=timezone.now())
    Queue.objects.get_or_create(name="default")
    for number in (7, 12):
        a_task(ana, id=number, kind="montecarlo.sde", status="FAILED", params={"paths": 5})
    return Asker.of(ana, *PERSONAL)


@pytest.mark.parametrize("document", DOCUMENTS)
def test_a_document_is_understood(ana: Asker, document: str) -> None:
    answer = ana.ask(document)
    codes = {error["extensions"]["code"] for error in answer.get("errors", [])}
    assert codes <= {"CURSOR_EXPIRED"}  # it is not kept for ever, as the text says
    assert codes or None not in answer["data"].values()


def test_the_first_request_makes_a_task(ana: Asker) -> None:
    (text,) = (text for text in TEXTS if "TOKEN=$(" in text)
    words = shlex.split(text.replace("\\\n", ""))
    body: dict[str, Any] = json.loads(words[words.index("-d") + 1])
    headers = [words[at + 1] for at, word in enumerate(words) if word == "-H"]
    assert headers == ["Authorization: Bearer $TOKEN", "Content-Type: application/json"]
    made = ana.send(body).json()["data"]["createTask"]
    assert made["userErrors"] == []
    assert Task.objects.get(pk=made["task"]["number"]).params == body["variables"]["input"]["params"]


def test_there_are_examples() -> None:
    assert len(DOCUMENTS) > 7
