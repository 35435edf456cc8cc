"""What a page must be told: the tag of what it shows, carried by the browser, against what it should show now.

Any web process can answer any poll: what is kept of one are answers that others may be given as well.
"""

from __future__ import annotations

import hashlib
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from django.core.cache import cache

from apps.tasks import table
from apps.tasks.clock import ticks_and_now
from apps.tasks.lifecycle import Status

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime, tzinfo

    from django.contrib.auth.models import User
    from django.http import HttpResponse

    from apps.tasks.table import Row, Table
    from apps.tasks.window import Window

# Both keep the promise that a change is on the screen within a second.
RHYTHM_MOVING = "500ms"
RHYTHM_STILL = "800ms"
RHYTHM_LABORIOUS = "3s"  # what has to be looked for row by row is not looked for twice a second
NEVER = 0
ANSWER_SECONDS = 2  # "just now" in them grows old


@dataclass(frozen=True, slots=True, kw_only=True)
class Tag:
    """What a browser shows: at which tick, until when that holds by itself, for whom, and a digest of each part."""

    ticks: int
    until: float
    view: str
    parts: tuple[str, ...] = ()
    rows: dict[int, str] = field(default_factory=dict)

    def encode(self) -> str:
        rows = ",".join(f"{number}:{digest}" for number, digest in self.rows.items())
        return "|".join([str(self.ticks), str(self.until), self.view, ".".join(self.parts), rows])

    @classmethod
    def decode(cls, text: str | None) -> Self | None:
        """None for whatever `encode` has not written: then everything is sent."""
        try:
            at, until, view, parts, rows = (text or "").split("|")
            pairs = [row.split(":") for row in rows.split(",") if row]
            digests = {int(number): digest for number, digest in pairs}
            return cls(ticks=int(at), until=float(until), view=view, parts=tuple(parts.split(".")), rows=digests)
        except ValueError:
            return None

    def holds(self, view: str, at: tuple[int, datetime] | None = None) -> bool:
        """Whether the browser's page is still right. `at`: what one tiny SELECT says, if it was asked already."""
        tick, now = at or ticks_and_now()
        current = self.until == NEVER or now.timestamp() < self.until
        return current and self.view == view and self.ticks == tick


@dataclass(frozen=True, slots=True)
class Answer:
    """To a poll. `body`: None when nothing of what the browser shows has changed."""

    tag: Tag
    body: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What of the table must be sent. `rows` alone when the same tasks stand in the same order; else `all_rows`."""

    all_rows: bool
    rows: list[Row]
    counts: bool
    news: bool
    rhythm: bool

    def __bool__(self) -> bool:
        return bool(self.all_rows or self.rows or self.counts or self.news or self.rhythm)


def view_of(window: Window, user: User) -> str:
    """The digest of whose table this is and which part of it; all of the staff look at the same one."""
    everybodys = user.is_staff and not window.query.depends_on_who_asks
    return digest("all" if everybodys else user.pk, sorted(window.parameters.items()))


def look(window: Window, user: User, at: tuple[int, datetime] | None = None) -> tuple[Table, Tag]:
    """The table with its tag. `at`: the tick and the time, asked for a moment ago."""
    # The tick first: what changes while the rows are read is then told again, not missed.
    tick, now = at or ticks_and_now()
    shown = table.read(window, user, now)
    tag = Tag(
        ticks=tick,
        until=shown.lasts_until.timestamp() if shown.lasts_until else NEVER,
        view=view_of(window, user),
        parts=(
            RHYTHM_LABORIOUS if shown.is_laborious else rhythm(moving=shown.is_live),
            digest(shown.counts, shown.matched),
            digest(shown.news),
            digest(shown.newer is None, shown.older is None, window.columns),
        ),
        rows={row.task.number: _row(row) for row in shown.rows},
    )
    return shown, tag


def changes(shown: Table, tag: Tag, before: Tag | None) -> Changes:
    """The difference of the table, whose tag is `tag`, from what the browser has."""
    if before is None or len(before.parts) != len(tag.parts):
        return Changes(all_rows=True, rows=[], counts=True, news=True, rhythm=True)
    rhythm_now, counts, news, ends = (now != then for now, then in zip(tag.parts, before.parts, strict=True))
    all_rows = ends or list(tag.rows) != list(before.rows)
    changed = [row for row in shown.rows if tag.rows[row.task.number] != before.rows.get(row.task.number)]
    return Changes(all_rows=all_rows, rows=[] if all_rows else changed, counts=counts, news=news, rhythm=rhythm_now)


def answer(view: str, before: Tag | None, at: tuple[int, datetime], zone: tzinfo, make: Callable[[], Answer]) -> Answer:
    """What `make` says, once for all browsers that show the same: where something moves, each asks twice a second."""
    shown = repr((view, before and (before.parts, before.rows), zone))
    key = f"poll-{hashlib.sha256(shown.encode('utf-8', 'surrogatepass')).hexdigest()}"
    known: Answer | None = cache.get(key)
    if known and known.tag.holds(view, at):
        return known
    made = make()
    cache.set(key, made, ANSWER_SECONDS)
    return made


def element(address: str, tag: Tag) -> dict[str, str]:
    """What `_live.html` is made from. `address`: where the page asks what has changed."""
    return {"address": address, "rhythm": tag.parts[0], "tag": tag.encode()}


def tagged(response: HttpResponse, tag: Tag) -> HttpResponse:
    response["HX-PTag"] = tag.encode()
    return response


def rhythm(*, moving: bool) -> str:
    """How often the page asks again: the page says `every <this>`."""
    return RHYTHM_MOVING if moving else RHYTHM_STILL


def until(moment: datetime) -> int:
    """The whole second after it: all who look within one second are shown the same."""
    return int(moment.timestamp()) + 1


def digest(*parts: object) -> str:
    """Six characters: one change in 10^10 would go unseen."""
    hashed = hashlib.blake2b(repr(parts).encode("utf-8", "surrogatepass"), digest_size=6).digest()
    return urlsafe_b64encode(hashed)[:6].decode()


def _row(row: Row) -> str:
    task = row.task
    return digest(
        task.name,
        task.status,
        task.attempt,
        task.reason,
        row.scheduled,
        row.stranded,
        task.run_at,
        task.started_at,
        getattr(task, "finished_at", None),
        getattr(task, "priority", None),
        *((row.percent, task.progress_text) if task.status == Status.RUNNING else ()),
        task.value_text,
        task.result_start,
        task.pictures,
        row.error,
    )
