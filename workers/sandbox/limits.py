"""How much one task's process may use, and what it need not import."""

from dataclasses import dataclass

MIB = 1 << 20
PRELOAD = "MILLRACE_SANDBOX_PRELOAD"
PRELOADED = ("numpy", "numpy.random")  # others cost 30 to 60 MB each, which who does not use them would pay as well


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Sizes in bytes. `memory`: address space of each process. `processes`: so many beside the first one.

    `preload`: modules that are imported once, which no task then pays for, neither with time nor with memory.
    """

    memory: int = 2048 * MIB
    file_size: int = 64 * MIB
    tmp: int = 256 * MIB
    processes: int = 0
    preload: tuple[str, ...] = PRELOADED
