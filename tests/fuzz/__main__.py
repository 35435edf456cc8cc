"""`python -m tests.fuzz`: thousands of requests to GraphQL that nobody would send, within one process.

First each argument with each strange value, then documents and values drawn from the schema. Prints how they were
answered, lists each sort of trouble once with its shortest request, and exits with 1 when there was any.

    PYTHONPATH=.:site .venv/bin/python -m tests.fuzz --requests 20000 [--database postgresql] [--seed 7]
"""

import argparse
import logging
import os
import random
import sys
import tempfile
import time
from pathlib import Path


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--requests", type=int, default=20_000)
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    options = parser.parse_args()
    from tests.benchmarks import rows

    with tempfile.TemporaryDirectory(prefix="millrace-fuzz-") as folder:
        rows.use_new_database(options.database, Path(folder))
        return run(options.requests, options.seed, options.database)


def run(requests: int, seed: int, database: str) -> int:
    """The exit code."""
    from tests.fuzz.campaign import fire
    from tests.fuzz.cast import Cast

    logging.disable(logging.CRITICAL)  # Django's own lines about each answer from 400 on
    started = time.monotonic()
    found = fire(Cast(), requests, seed)
    took = time.monotonic() - started
    print(f"{database}, seed {seed}: {found.count:,} requests in {took:.0f} s, load {os.getloadavg()[0]:.1f}")
    print("answered without any error:", dict(found.answered.most_common()))
    for shot, wrong in found.troubles.values():
        print(f"\n{wrong}\n  {shot}\n  {shot.body[:1_500]!r}")
    print(f"{len(found.troubles)} sorts of trouble")
    return 1 if found.troubles else 0


if __name__ == "__main__":
    sys.exit(main())
