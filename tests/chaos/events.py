"""events.jsonl: whatever the driver did and was told, with monotonic times, to read after a broken promise."""

import json
import threading
import time
from pathlib import Path
from typing import Any


class Events:
    def __init__(self, path: Path) -> None:
        self._file = path.open("a", buffering=1)
        self._lock = threading.Lock()

    def note(self, what: str, **fields: Any) -> float:
        """When, by the monotonic clock."""
        at = time.monotonic()
        with self._lock:
            self._file.write(json.dumps({"at": round(at, 4), "what": what, **fields}) + "\n")
        return at
