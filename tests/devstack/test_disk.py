"""A full disk is noticed when it has room again, once, and not before."""

from collections.abc import Iterator
from pathlib import Path

from devstack.disk import FULL_BYTES, ROOM_BYTES, Disk


def test_a_disk_with_room_is_no_news(tmp_path: Path) -> None:
    assert not Disk(tmp_path).has_room_again()


def test_it_is_told_when_there_is_room_again(tmp_path: Path) -> None:
    looks: Iterator[int] = iter([ROOM_BYTES + 1, FULL_BYTES + 1, FULL_BYTES - 1, 0, ROOM_BYTES, ROOM_BYTES + 1])
    disk = Disk(tmp_path, free=lambda _folder: next(looks))
    assert [disk.has_room_again() for _ in range(6)] == [False] * 5 + [True]
