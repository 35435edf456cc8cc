"""`python -m devstack.keep ROLE -- command`: keeps one process running, and leaves when whoever started it is gone.

honcho stops everything when one of its processes ends, so each line of Procfile.dev runs under one of these. In
production systemd or an orchestrator does the same; the processes are the same.
"""

import contextlib
import itertools
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from devstack import claim, lifeline, places, roles, screen
from devstack.screen import Stop

STOP_SECONDS = 4.4  # honcho kills five seconds after it asked
BROKER_STOP_SECONDS = 1.6
LOOK_SECONDS = 0.5
SHORT_LIFE_SECONDS = 10.0  # one that ends sooner is started again after a growing pause
PAUSES = (0.2, 0.5, 1.0, 2.0, 5.0)
MISCONFIGURED, MISCONFIGURED_PAUSE = 2, 10.0  # later it may be a module that somebody is just writing


def main() -> int:
    role, command = _read(sys.argv[1:])
    environment = roles.environment(role)
    # honcho's wrapper of this process, and honcho itself, whose death the wrapper survives.
    starters = lifeline.ancestors()[:2]
    with claim.take_part(places.var(), role, owner=[os.getpid(), *starters][-1]):
        lifeline.adopt_orphans()  # what a killed process leaves behind is ended before it is started again
        return Keeper(role, command, environment, starters).run()


class Keeper:
    """One process, started again whenever it ends without having been asked to."""

    def __init__(self, role: str, command: Sequence[str], environment: dict[str, str], starters: Sequence[int]) -> None:
        self._role = role
        self._command = command
        self._environment = environment
        self._starters = starters
        self._signals = lifeline.Signals(lifeline.STOPS | {signal.SIGCHLD})
        self._short_lives = 0

    def run(self) -> int:
        """Its own exit code: 0 when asked to stop, 2 when the first start shows that the environment is wrong."""
        for starts in itertools.count(1):
            started = time.monotonic()
            child = subprocess.Popen(
                self._command,
                env=self._fresh_environment(),
                cwd=places.ROOT,
                start_new_session=True,  # asked to stop once, by us: neither by Ctrl-C nor by honcho's killpg as well
                preexec_fn=lifeline.leave_with_parent(signal.SIGTERM),  # noqa: PLW1509 there are no threads here
            )
            code = self._wait(child)
            if code is None:
                self._stop(child)
                break
            lifeline.end_descendants()
            if code == MISCONFIGURED and starts == 1:
                return code
            if self._rest(self._pause(code, time.monotonic() - started)):
                break
        return 0

    def _fresh_environment(self) -> dict[str, str]:
        """With the token that stands in the secrets now: it may have been rotated since the last start."""
        with contextlib.suppress(Stop):
            self._environment = roles.environment(self._role)
        return self._environment

    def _wait(self, child: subprocess.Popen[bytes]) -> int | None:
        """Its exit code, or None when it is to be stopped."""
        while (code := child.poll()) is None:
            if self._asked_to_stop(LOOK_SECONDS, child):
                return None
        return code

    def _rest(self, seconds: float) -> bool:
        """Whether it was asked to stop meanwhile; the ends of what the process left behind do not cut it short."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            if self._asked_to_stop(min(left, LOOK_SECONDS)):
                return True
        return False

    def _asked_to_stop(self, within_seconds: float, child: subprocess.Popen[bytes] | None = None) -> bool:
        arrived = self._signals.wait(within_seconds)
        if signal.SIGCHLD in arrived:
            lifeline.reap_orphans(child.pid if child else 0)
        return bool(arrived & lifeline.STOPS) or not all(map(lifeline.is_alive, self._starters))

    def _stop(self, child: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + STOP_SECONDS
        if self._role == "broker":
            # The last to go: the others hand it what they have finished.
            while time.monotonic() < deadline - BROKER_STOP_SECONDS and claim.others_at_work(places.var(), "broker"):
                time.sleep(0.05)
        child.terminate()
        while child.poll() is None and (left := deadline - time.monotonic()) > 0:
            self._signals.wait(min(left, LOOK_SECONDS))
        lifeline.end_descendants()
        self._free_wrapper()

    def _free_wrapper(self) -> None:
        """Without honcho nobody reads what its wrapper still has to pass on; with much of that it would never end."""
        wrapper, *honcho = self._starters
        with contextlib.suppress(OSError):
            is_one = b"honcho" in Path(f"/proc/{wrapper}/cmdline").read_bytes()
            if is_one and not all(map(lifeline.is_alive, honcho)):
                os.kill(wrapper, signal.SIGKILL)

    def _pause(self, code: int, lived_seconds: float) -> float:
        """Seconds until the next start; says what happened."""
        self._short_lives = 0 if lived_seconds > SHORT_LIFE_SECONDS else self._short_lives + 1
        pause = PAUSES[min(max(self._short_lives, 1), len(PAUSES)) - 1]
        if code == MISCONFIGURED:
            pause = MISCONFIGURED_PAUSE
        screen.say(f"{self._role} {_ended(code)}; starting it again in {pause:g} s")
        return pause


def _read(arguments: Sequence[str]) -> tuple[str, list[str]]:
    if len(arguments) < 3 or arguments[1] != "--" or arguments[0] not in roles.NAMES:
        raise Stop(f"usage: python -m devstack.keep {{{'|'.join(roles.NAMES)}}} -- command ...", code=2)
    return arguments[0], list(arguments[2:])


def _ended(code: int) -> str:
    if code < 0:
        with contextlib.suppress(ValueError):
            return f"was ended by {signal.Signals(-code).name}"
    return "ended by itself" if code == 0 else f"failed with exit code {code}"


if __name__ == "__main__":
    sys.exit(screen.run(main))
