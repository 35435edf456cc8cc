"""The kinds of the chaos test: everything that tasks do in earnest, each run noted in the ledger."""

import math
import os
import signal
import sys
import time

from tests.chaos import expected, ledger
from workers.registry import handler
from workers.task import artifact


@handler("chaos.quick", retry_seconds=expected.RETRY_SECONDS)
def quick(ident: str, seed: int, stretch: float = 1.0) -> float:
    return _sleep("chaos.quick", ident, seed, stretch)


@handler("chaos.medium", retry_seconds=expected.RETRY_SECONDS)
def medium(ident: str, seed: int, stretch: float = 1.0) -> float:
    return _sleep("chaos.medium", ident, seed, stretch)


@handler("chaos.long", retry_seconds=expected.RETRY_SECONDS)
def long(ident: str, seed: int, stretch: float = 1.0) -> float:
    return _sleep("chaos.long", ident, seed, stretch)


@handler("chaos.raises", max_attempts=expected.ATTEMPTS, retry_seconds=expected.RETRY_SECONDS)
def raises(ident: str, seed: int, stretch: float = 1.0) -> float:
    with ledger.entered(ident):
        raise ValueError(expected.sentence(seed))


@handler("chaos.dies", max_crashes=expected.CRASHES, retry_seconds=expected.RETRY_SECONDS)
def dies(ident: str, seed: int, stretch: float = 1.0) -> float:
    with ledger.entered(ident):
        if seed % 2:
            os._exit(3)
        os.kill(os.getpid(), signal.SIGSEGV)
        time.sleep(60)
    return 0.0


@handler("chaos.overtime", timeout_seconds=expected.LIMIT_SECONDS, retry_seconds=expected.RETRY_SECONDS)
def overtime(ident: str, seed: int, stretch: float = 1.0) -> float:
    with ledger.entered(ident):
        if expected.ignores_sigterm(seed):
            signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
        time.sleep(600)
    return 0.0


@handler("chaos.prints", retry_seconds=expected.RETRY_SECONDS)
def prints(ident: str, seed: int, stretch: float = 1.0) -> float:
    with ledger.entered(ident):
        line = f"{ident} prints {'.' * 80}\n"
        for _ in range(expected.printed_bytes(seed) // len(line)):
            sys.stdout.write(line)
        return expected.number(seed)


@handler("chaos.artifacts", retry_seconds=expected.RETRY_SECONDS)
def makes_artifacts(ident: str, seed: int, stretch: float = 1.0) -> float:
    with ledger.entered(ident):
        artifact(expected.artifact(seed), expected.ARTIFACT)
        return expected.number(seed)


@handler("chaos.odd", retry_seconds=expected.RETRY_SECONDS)
def odd(ident: str, seed: int, stretch: float = 1.0) -> object:
    with ledger.entered(ident):
        return (math.nan, math.inf, "x" * expected.TOO_LARGE, object())[seed % 4]


def _sleep(kind: str, ident: str, seed: int, stretch: float) -> float:
    with ledger.entered(ident):
        time.sleep(expected.seconds(kind, seed, stretch))
        return expected.number(seed)
