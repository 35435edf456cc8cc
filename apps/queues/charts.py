"""What happened, as charts: paths of SVG that is drawn on the server, the words beside their axes, and in sentences."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from apps.tasks import sentences

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime, tzinfo

    from apps.queues.spans import Past, Slot, Span, Times

WIDTH, HEIGHT = 720, 120
STEP, STANDING, HANGING = 3, 22, 9  # of the small one
LEAST = 2.0  # so that one among thousands is seen
_TIMES: Final = (
    *(part / 1000 for part in (1, 2, 4, 10, 20, 40, 100, 200, 400)),
    *(1, 2, 4, 10, 20, 40, 60, 120, 240, 600, 1_200, 2_400),
    *(3_600 * part for part in (1, 2, 4, 8, 12, 24, 48, 96, 192, 384)),
)
_SHARES: Final = (0.02, 0.04, 0.1, 0.2, 0.4, 1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """`look`: the class that gives it its colour and pattern."""

    look: str
    label: str
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """`heights`: what stands beside top, middle and foot. `said`: the same in a sentence. Without lines it is empty."""

    name: str
    title: str
    said: str
    lines: list[Line]
    heights: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Mark:
    """A place on the axis of time, as the reader's clock shows it; or a slot, with what is told of it."""

    x: float
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A slot in words, for the table of the numbers."""

    time: str
    slot: Slot
    failed_share: str
    wait: str
    longest_wait: str
    run: str
    longest_run: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Small:
    """What finished, as bars that stand on a line, and what failed, as bars that hang from it."""

    said: str
    finished: str
    failed: str


def small(past: Past) -> Small | None:
    """None: nothing finished or failed."""
    total = past.total
    if total.failed_share is None:
        return None
    finished, failed = ([getattr(slot, name) for slot in past.slots] for name in ("finished", "failed"))
    # One scale for both, so that they can be compared.
    each = min(STANDING / max(*finished, 1), HANGING / max(*failed, 1))
    return Small(
        said=f"{total.finished:,} finished, {total.failed:,} failed in {past.span.last}",
        finished=_thin_bars(finished, -each),
        failed=_thin_bars(failed, each),
    )


def of(past: Past, zone: tzinfo) -> list[Chart]:
    return [_throughput(past, zone), _failures(past, zone), _waits(past), _runs(past)]


def marks(past: Past, zone: tzinfo) -> list[str]:
    """The words at the axis of time, from its begin to its end, all as far apart."""
    length = past.span.length
    begin = past.slots[0].start
    moments = [begin + length * n / past.span.marks for n in range(past.span.marks + 1)]
    return [clock(moment, past.span, zone) for moment in moments]


def tips(past: Past, zone: tzinfo) -> list[Mark]:
    """What is said of each slot under the pointer."""
    return [Mark(_x(at, past), _tip(slot, past.span, zone)) for at, slot in enumerate(past.slots) if slot.has_any]


def rows(past: Past, zone: tzinfo) -> list[Row]:
    """Those in which something happened, the newest first."""
    return [
        Row(
            time=clock(slot.start, past.span, zone),
            slot=slot,
            failed_share=percent(slot.failed_share),
            wait=about(slot.waited.median),
            longest_wait=about(slot.waited.high),
            run=about(slot.ran.median),
            longest_run=about(slot.ran.high),
        )
        for slot in reversed(past.slots)
        if slot.has_any
    ]


def slot_width(past: Past) -> float:
    return round(WIDTH / len(past.slots), 2)


def clock(moment: datetime, span: Span, zone: tzinfo) -> str:
    """ "14:05"; with the day where it could be another one."""
    return f"{moment.astimezone(zone):{'%a %H:%M' if span.name == '7d' else '%H:%M'}}"


def about(seconds: float | None) -> str:
    """In as many digits as a spread holds: "1.3 s", "85 ms"."""
    if seconds is None:
        return ""
    if 0.0995 <= seconds < 9.95:
        return f"{seconds:.2g} s"
    return sentences.duration(seconds)


def percent(share: float | None) -> str:
    """ "0 %", "0.4 %", "12 %", never 0 of some nor 100 of not all."""
    if share is None:
        return ""
    if 0 < share < 0.0005:
        return "under 0.1 %"
    if 0.995 <= share < 1:
        return "over 99 %"
    return f"{100 * share:.1f} %" if 0 < share < 0.0995 else f"{100 * share:.0f} %"


def _throughput(past: Past, zone: tzinfo) -> Chart:
    total, last, slots = past.total, past.span.last, past.slots
    if not total.has_any:
        return Chart(
            name="throughput",
            title="Throughput",
            said=f"Nothing came or ended in {last}; a minute shows once it is over.",
            lines=[],
        )
    most = _nice_count(max(max(slot.created, slot.ended) for slot in slots))
    parts = {"finished": "Finished", "failed": "Failed", "cancelled": "Cancelled"}
    counts = [(slot.finished, slot.failed, slot.cancelled) for slot in slots]
    bars = [
        Line(look=look, label=label, path=_bars(counts, nth, most)) for nth, (look, label) in enumerate(parts.items())
    ]
    created = Line(look="created", label="Created", path=_steps([slot.created for slot in slots], most))
    busiest = max(slots, key=lambda slot: slot.ended)
    said = (
        f"{total.created:,} created, {total.finished:,} finished, {total.failed:,} failed"
        f" and {total.cancelled:,} cancelled in {last}."
    )
    if busiest.ended:
        at = clock(busiest.start, past.span, zone)
        said += f" The busiest {past.span.each} began at {at}: {busiest.ended:,} ended."
    heights = (f"{most:,}", f"{most // 2:,}", "0")
    return Chart(name="throughput", title="Throughput", said=said, lines=[*bars, created], heights=heights)


def _failures(past: Past, zone: tzinfo) -> Chart:
    total, slots = past.total, past.slots
    whole = total.failed_share
    if whole is None:
        return Chart(
            name="failures",
            title="Failures",
            said=f"Nothing finished or failed in {past.span.last}; a minute shows once it is over.",
            lines=[],
        )
    shares = [slot.failed_share for slot in slots]
    worst = max(slots, key=lambda slot: slot.failed_share or 0)
    top = next(share for share in _SHARES if share >= (worst.failed_share or 0))
    said = f"{percent(whole)} failed: {total.failed:,} of {total.failed + total.finished:,} in {past.span.last}."
    if worst.failed:
        at = clock(worst.start, past.span, zone)
        said += f" The worst {past.span.each} began at {at}: {percent(worst.failed_share)}."
    path = _bars([(share or 0,) for share in shares], 0, top)
    lines = [Line(look="failed", label="Failed of what ended by itself", path=path)]
    heights = (f"{100 * top:.0f} %", f"{50 * top:.0f} %", "0 %")
    return Chart(name="failures", title="Failures", said=said, lines=lines, heights=heights)


def _waits(past: Past) -> Chart:
    said = "waited {median} in the median, and 95 of 100 no longer than {high}, in {last}."
    return _times(past, "wait", "Wait", said, lambda slot: slot.waited)


def _runs(past: Past) -> Chart:
    said = "ran {median} in the median, and 95 of 100 no longer than {high}, in {last}."
    return _times(past, "run", "Run time", said, lambda slot: slot.ran)


def _times(past: Past, name: str, title: str, said: str, read: Callable[[Slot], Times]) -> Chart:
    whole = past.total
    median, high = read(whole)
    if median is None:
        return Chart(
            name=name,
            title=title,
            said=f"Nothing finished or failed in {past.span.last}; a minute shows once it is over.",
            lines=[],
        )
    medians, highs = zip(*(read(slot) for slot in past.slots), strict=True)
    worst = max(filter(None, highs))
    top = next((time for time in _TIMES if time >= worst), worst)
    words = said.format(median=about(median), high=about(high), last=past.span.last)
    lines = [
        Line(look="high", label="95 of 100 at most", path=_steps(highs, top)),
        Line(look="median", label="Median", path=_steps(medians, top)),
    ]
    heights = (about(top), about(top / 2), "0")
    return Chart(name=name, title=title, said=f"What ended {words}", lines=lines, heights=heights)


def _tip(slot: Slot, span: Span, zone: tzinfo) -> str:
    told = [f"{slot.created:,} created", f"{slot.finished:,} finished", f"{slot.failed:,} failed"]
    told += [f"{slot.cancelled:,} cancelled"] if slot.cancelled else []
    if (wait := slot.waited.median) is not None:
        told.append(f"waited {about(wait)}, at most {about(slot.waited.high)}")
    if (run := slot.ran.median) is not None:
        told.append(f"ran {about(run)}, at most {about(slot.ran.high)}")
    return f"{clock(slot.start, span, zone)}: {'; '.join(told)}"


def _x(at: int, past: Past) -> float:
    return round(WIDTH * at / len(past.slots), 2)


def _bars(stacks: Sequence[Sequence[float]], nth: int, most: float) -> str:
    """The nth part of each stack, as the `d` of one path."""
    step, path = WIDTH / len(stacks), ""
    for at, stack in enumerate(stacks):
        if stack[nth]:
            foot = HEIGHT - _high(sum(stack[:nth]), most)
            height = max(_high(stack[nth], most), LEAST)
            path += (
                f"M{_short((at + 0.1) * step)} {_short(foot)}v-{_short(height)}h{_short(step * 0.8)}v{_short(height)}z"
            )
    return path


def _thin_bars(counts: Sequence[int], each: float) -> str:
    """`each`: how long one counts, below the line."""
    path = ""
    for at, count in enumerate(counts):
        if count:
            length = _short(math.copysign(max(abs(count * each), 1), each))
            path += f"M{at * STEP} {STANDING}h2v{length}h-2z"
    return path


def _steps(values: Sequence[float | None], most: float) -> str:
    """A line with a step for each value, and a gap for each that there is not."""
    step, path, drawn = WIDTH / len(values), "", False
    for at, value in enumerate(values):
        if value is None:
            drawn = False
            continue
        height = _short(HEIGHT - _high(value, most))
        path += f"V{height}" if drawn else f"M{_short(at * step)} {height}"
        path += f"H{_short((at + 1) * step)}"
        drawn = True
    return path


def _high(value: float, most: float) -> float:
    return HEIGHT * value / most


def _short(number: float) -> str:
    return f"{number:.1f}".removesuffix(".0")


def _nice_count(most: int) -> int:
    """The next of 2, 4, 6, 10, 20, 40 and so on: its half is a whole number as well."""
    size = int(10 ** math.floor(math.log10(max(most, 1))))
    return next(part * size for part in (2, 4, 6, 10) if part * size >= most)
