"""`python -m workers.sandbox.trial PLAN...`: tries each plan inside, in a throw-away process; prints what came of it.

A line of JSON: {"landlock": its version, "plans": ["" or why it cannot be done, ...]}.
"""

import json
import os
import socket
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from workers import scratch
from workers.sandbox import landlock, seccomp
from workers.sandbox.plan import Plan
from workers.sandbox.user import leave_root
from workers.sandbox.wards import Wards


def main(arguments: Sequence[str]) -> None:
    plans = [Plan.decode(each) for each in arguments]
    leave_root(in_view=plans[0].in_view)
    next(Path(os.__file__).parent.iterdir())  # whoever it is now can read Python
    print(json.dumps({"landlock": landlock.version(), "plans": [_tried(plan) for plan in plans]}))  # noqa: T201


def _tried(plan: Plan) -> str:
    if not seccomp.supported():
        return "the numbers of this processor's system calls are not known"
    wards = Wards(replace(plan, landlock=landlock.version() > 0), str(scratch.make()))
    try:
        pid = wards.fork(_try_to_get_out, ())
        status = os.waitpid(pid, 0)[1]
    except OSError as error:
        return error.strerror or str(error)
    finally:
        wards.end()
    return "" if status == 0 else "what it is to forbid is still possible"


def _try_to_get_out() -> None:
    for attempt in (socket.socket, os.fork, lambda: os.open("/", os.O_WRONLY | os.O_TMPFILE)):
        try:
            attempt()
        except OSError:
            continue
        os._exit(1)
    os._exit(0)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except OSError as error:
        sys.exit(f"{(error.strerror or str(error)).lower()} ({error.filename})")
