"""What a task of the chaos test has to come to: a pure function of its kind and its seed, so that a wrong one shows."""

from dataclasses import dataclass
from random import Random

ATTEMPTS = 2  # of a kind that raises, before it has failed
CRASHES = 2  # of a kind that dies
RETRY_SECONDS = 0.3
LIMIT_SECONDS = 1.0
SECONDS = {"chaos.quick": (0.001, 0.02), "chaos.medium": (0.2, 2.0), "chaos.long": (5.0, 15.0)}
TOO_LARGE = 400_000
ARTIFACT = "made.bin"


@dataclass(frozen=True, slots=True)
class End:
    """How a task ends when nobody cancels it."""

    status: str
    reason: str = ""
    value_text: str = ""
    says: str = ""  # is part of the last attempt's error


def end_of(kind: str, seed: int) -> End:
    if kind == "chaos.raises":
        return End("FAILED", "ERROR", says=sentence(seed))
    if kind == "chaos.dies":
        return End("FAILED", "CRASHED")
    if kind == "chaos.overtime":
        return End("FAILED", "TIMEOUT")
    if kind == "chaos.odd":
        return _ODD[seed % len(_ODD)]
    return End("FINISHED", value_text=repr(number(seed)))


def number(seed: int) -> float:
    return Random(seed).random()


def artifact(seed: int) -> bytes:
    """In several chunks."""
    return Random(seed).randbytes(600_000)


def sentence(seed: int) -> str:
    return f"as seed {seed} has it"


def seconds(kind: str, seed: int, stretch: float) -> float:
    """How long a run takes; `stretch` makes all but the quick ones shorter or longer."""
    least, most = SECONDS[kind]
    return Random(seed + 1).uniform(least, most) * (1.0 if kind == "chaos.quick" else stretch)


def printed_bytes(seed: int) -> int:
    """Much now and then: it all goes to the worker's log."""
    return 5_000_000 if seed % 20 == 0 else 50_000


def ignores_sigterm(seed: int) -> bool:
    return seed % 4 == 0


_ODD = (
    End("FINISHED", value_text="nan"),
    End("FINISHED", value_text="inf"),
    End("FAILED", "RESULT_TOO_LARGE"),
    End("FAILED", "RESULT_NOT_SERIALISABLE"),
)
