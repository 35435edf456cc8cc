"""How much one task's process may use."""

from dataclasses import dataclass

MIB = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Sizes in bytes. `memory`: address space of each process. `processes`: so many beside the first one."""

    memory: int = 2048 * MIB
    file_size: int = 64 * MIB
    tmp: int = 256 * MIB
    processes: int = 0
