"""`python -m tests.chaos`: a load of tasks on a stack of its own, of which every part is killed again and again.

Prints what it found on one line, lists every broken promise with the history of its tasks, and exits with 1 then.

    alias chaos='PYTHONPATH=.:site .venv/bin/python -m tests.chaos'
    chaos --seed 42 --slots 4 --stretch 0.1 --calm 300                   # what bin/test does, in two minutes
    chaos --seed 42 --slots 12 --faults soak --tasks 100000 --seconds 3600 --database postgresql
    chaos --tasks 60 --seconds 6 --faults K-W=2,@sink.before_ack=1       # some faults, and a crash point
"""

import argparse
import contextlib
import shutil
import signal
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.chaos import campaign, invariants
from tests.chaos.campaign import Campaign, Found, Wish
from tests.chaos.database import postgresql
from tests.chaos.inject import sabotage
from tests.chaos.nemesis import SORTS

MOST_TOLD = 10


def main(arguments: Sequence[str]) -> int:
    options = _read(arguments)
    wish = Wish(
        tasks=options.tasks,
        seconds=options.seconds,
        seed=options.seed,
        faults=_counts(options.faults),
        without=tuple(options.without),
        kinds=tuple(options.kinds.split(",")) if options.kinds else (),
        workers=options.workers,
        slots=options.slots,
        stretch=options.stretch,
        quiet_seconds=options.quiet,
        calm=options.calm,
    )
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that everything is stopped
    print(f"seed {wish.seed} | {options.database} | {campaign.machine()} | {dict(wish.faults)}", flush=True)
    folder = Path(tempfile.mkdtemp(prefix="millrace-chaos-"))
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(postgresql(folder)) if options.database == "postgresql" else None
        run = Campaign(wish, folder / "var", server)
        found = run.run()
    code = tell(found, wish)
    if (code and not options.forget) or options.keep:
        print(f"the logs, the ledger and events.jsonl are in {run.rig.var}")
    else:
        shutil.rmtree(folder)
    return code


def tell(found: Found, wish: Wish) -> int:
    """The exit code."""
    before = tell(found.calm, wish) if found.calm else 0
    for each in found.broken[:MOST_TOLD]:
        print(f"BROKEN {each.invariant}: {each.text}")
        if each.ident:
            print(found.books.history(each.ident))
    print(verdict(found, wish), flush=True)
    return 1 if found.broken else before


def verdict(found: Found, wish: Wish) -> str:
    count = Counter(each.invariant for each in found.broken)
    acknowledged = sum(asked.acknowledged for asked in found.books.asked)
    extra, bound = invariants.extra_runs(found.books)
    others = sorted(set(count) - {"I1 lost", "I2 stuck", "I3 recorded twice", "I4 wrong", "I10 unexpected"})
    parts = [
        f"tasks {len(found.books.asked)}",
        f"acknowledged {acknowledged}",
        f"recovered {invariants.recovered(found.books)}",
        f"ok {len(found.books.rows) - len({each.ident for each in found.broken if each.ident})}",
        f"lost {count['I1 lost']}",
        f"recorded twice {count['I3 recorded twice']}",
        f"wrong {count['I4 wrong']}",
        f"stuck {count['I2 stuck']}",
        f"unexpected {count['I10 unexpected']}",
        *(f"{name} {count[name]}" for name in others),
        f"extra runs {extra} (bound {bound})",
        f"faults {len(found.books.faults)} (missed {found.missed})",
        f"slowest recovery {max(found.recoveries, default=0.0):.1f} s of {len(found.recoveries)}",
        f"seed {wish.seed}",
    ]
    return " | ".join(parts)


def _read(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__.split("\n")[0])
    parser.add_argument("--tasks", type=int, default=2_000)
    parser.add_argument("--seconds", type=float, default=70, help="over which load and faults are spread")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--faults", default="short", help="short, soak, none, or as in K-W=3,K-Q=1")
    parser.add_argument("--without", action="append", default=[], choices=sorted(sabotage.WITHOUT))
    parser.add_argument("--kinds", default="", help="those alone, separated by commas")
    parser.add_argument("--workers", type=int, default=3)
    parser.add_argument("--slots", type=int, default=2, help="of each worker")
    parser.add_argument("--stretch", type=float, default=1.0, help="makes all but the quick tasks so much longer")
    parser.add_argument("--quiet", type=float, default=campaign.QUIET_SECONDS, help="seconds until all must have ended")
    parser.add_argument("--calm", type=int, default=0, help="so many tasks more, before the first fault")
    parser.add_argument("--keep", action="store_true", help="keep the folder also when nothing is broken")
    parser.add_argument("--forget", action="store_true", help="remove it also when something is broken")
    return parser.parse_args(arguments)


def _counts(text: str) -> Mapping[str, int]:
    if text in ("short", "soak"):
        return {code: getattr(sort, text) for code, sort in SORTS.items()}
    pairs = [part.split("=") for part in text.split(",")] if text != "none" else []
    return {code: int(count) for code, count in pairs}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
