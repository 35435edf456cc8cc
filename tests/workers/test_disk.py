"""A worker begins nothing while the disk of its temporary folder is nearly full."""

import asyncio
import shutil
from collections import namedtuple
from pathlib import Path
from unittest.mock import Mock

import pytest

from tests.workers.rig import TASKS, Rabbit, Web, task
from tests.workers.test_faults import with_worker
from tests.workers.test_slots import until
from workers import disk
from workers.worker import Worker

Usage = namedtuple("Usage", "total used free")
MB = 1_000_000


class Disk:
    total, free = 100_000 * MB, 50_000 * MB

    def usage(self, _folder: Path) -> Usage:
        return Usage(self.total, self.total - self.free, self.free)


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Disk:
    fake = Disk()
    monkeypatch.setattr(shutil, "disk_usage", fake.usage)
    monkeypatch.setattr(disk, "LOOK_SECONDS", 0.01)
    return fake


def test_a_worker_takes_nothing_until_the_disk_has_room_again(
    rabbit: Rabbit, web: Web, fake: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def work(worker: Worker) -> None:
        await asyncio.to_thread(rabbit.put, task(1, "test.sleep", seconds=1))
        await until(lambda: rabbit.started(1))
        fake.free = 499 * MB
        await until(lambda: worker._slots.unable)
        await asyncio.to_thread(rabbit.put, task(2))
        await until(lambda: [each for each in rabbit.events() if each["type"] == "OUTCOME"])
        assert rabbit.outcome(1)["status"] == "FINISHED"
        assert rabbit.count(TASKS) == 1
        fake.free = 501 * MB
        await asyncio.sleep(0.1)
        assert worker._slots.unable
        fake.free = 600 * MB
        await until(lambda: len(rabbit.outcomes(1)) == 2)

    said = Mock()
    monkeypatch.setattr(disk, "log", said)
    with_worker(rabbit, web, work)
    [full], [freed] = said.warning.call_args_list, said.info.call_args_list
    assert (full.kwargs["free"], full.kwargs["needed"]) == (499, 500)
    assert freed.args == ("disk.freed",)


@pytest.mark.parametrize(("free", "needed"), [(20 * MB, 16 * MB), (15 * MB, 16 * MB)])
def test_of_a_small_disk_a_quarter_is_enough(fake: Disk, free: int, needed: int) -> None:
    fake.total, fake.free = 64 * MB, free
    assert disk._look(Path("anywhere")) == (free, needed)


def test_a_worker_that_lacks_two_things_waits_for_both(rabbit: Rabbit, web: Web, fake: Disk) -> None:
    async def work(worker: Worker) -> None:
        slots = worker._slots
        fake.free = 0
        await until(lambda: slots.unable)
        slots.lack("another")
        fake.free = 50_000 * MB
        await asyncio.sleep(0.1)
        assert slots.unable
        slots.lack_no_more("another")
        assert not slots.unable

    with_worker(rabbit, web, work)
