import random
from types import ModuleType

from workers.chance import reseed


def test_each_library_that_is_there_is_seeded_anew() -> None:
    seeded: list[str] = []
    torch = ModuleType("torch")
    torch.seed = lambda: seeded.append("torch")  # type: ignore[attr-defined]
    random.seed(1)
    first = random.random()
    random.seed(1)

    reseed({"torch": torch})

    assert random.random() != first
    assert seeded == ["torch"], "numpy is not there"
