"""What a template does to each of its tasks, as whoever starts it tells it."""

import json
from dataclasses import asdict, dataclass, field

from workers.sandbox.limits import Limits

BROKEN = 70  # the exit code of a child that has lost what it needs to answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """`ours`: the folder of our package, as the template sees it. `in_view`: it runs in a view made by bubblewrap."""

    namespaces: bool
    landlock: bool
    ours: str
    in_view: bool
    limits: Limits = field(default_factory=Limits)

    def encode(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def decode(cls, text: str) -> "Plan":
        data = json.loads(text)
        limits = data["limits"]
        return cls(**{**data, "limits": Limits(**{**limits, "preload": tuple(limits["preload"])})})
