"""Both sides of the books at the end of a run: what was asked for, what is stored, what was really run."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from tests.chaos.asked import Asked
from tests.chaos.database import Change, Database, Row
from tests.chaos.ledger import Line


@dataclass(frozen=True, slots=True)
class Fault:
    """One that was done. `extra_runs`: how many runs it may have cost at most, done again elsewhere."""

    code: str
    began: float
    ended: float
    extra_runs: int
    heals_in: float  # seconds


@dataclass(slots=True)
class Books:
    asked: Sequence[Asked]
    rows: Sequence[Row]
    changes: Sequence[Change]
    errors: dict[tuple[int, int], str]
    lines: Sequence[Line]
    faults: Sequence[Fault] = ()
    artifacts: dict[int, list[tuple[str, str]]] = field(default_factory=dict)  # name and SHA-256, by task
    rows_of: dict[str, list[Row]] = field(default_factory=lambda: defaultdict(list))
    begun: dict[str, list[Line]] = field(default_factory=lambda: defaultdict(list))
    ended: dict[str, list[Line]] = field(default_factory=lambda: defaultdict(list))

    @classmethod
    def of(
        cls, database: Database, asked: Sequence[Asked], lines: Iterable[Line], faults: Sequence[Fault] = ()
    ) -> "Books":
        """About these tasks alone."""
        idents = {each.ident for each in asked}
        rows = [row for row in database.tasks() if row.name in idents]
        numbers = {row.number for row in rows}
        changes = [change for change in database.changes() if change.task in numbers]
        own_lines = [line for line in lines if line.ident in idents]
        books = cls(asked, rows, changes, database.errors(), own_lines, faults, database.artifacts())
        books._sort()
        return books

    def history(self, ident: str) -> str:
        """Whatever is known of one task, for somebody who looks for the fault."""
        told: list[object] = [each for each in self.asked if each.ident == ident]
        told += self.rows_of[ident]
        numbers = {row.number for row in self.rows_of[ident]}
        told += [change for change in self.changes if change.task in numbers]
        told += [f"{attempt}: {error}" for attempt, error in self.errors.items() if attempt[0] in numbers]
        told += [line for line in self.lines if line.ident == ident]
        return "\n".join(f"    {each}" for each in told)

    def _sort(self) -> None:
        for row in self.rows:
            self.rows_of[row.name].append(row)
        for line in self.lines:
            (self.begun if line.phase == "begin" else self.ended)[line.ident].append(line)
