"""`bin/dev`: sets up what is missing, runs the whole stack, and prints the one link that opens it."""

import os
import signal
import sys
from pathlib import Path

from devstack import claim, credentials, keep, options, places, rabbitmq, screen, setup
from devstack.screen import Stop, step
from devstack.stack import Stack, what_is_missing

PATIENCE_SECONDS = 25.0  # then it says what it waits for, and shows what the processes said


def main() -> int:
    for sentence in options.unknown_variables():
        screen.complain(sentence, "warning")
    chosen = options.read(sys.argv[1:])
    os.environ["MILLRACE_VAR"] = str(chosen.var)
    os.environ["MILLRACE_PORT"] = str(chosen.port)
    os.environ["MILLRACE_CONCURRENCY"] = str(chosen.concurrency)
    _keep_ways_to_handlers()
    places.check(chosen.var)
    claim.check(chosen.var)  # before the port, which a running stack has taken
    _check_port(chosen.port)
    setup.get_what_runs()
    places.make_private(chosen.var)
    with claim.take_stack(chosen.var):
        setup.prepare_data()
        _check_broker_ports(chosen.var)
        return _run(chosen.workers, chosen.port)


def _keep_ways_to_handlers() -> None:
    """The processes run in the checkout: what is named from here is found from there too."""
    os.environ.setdefault("MILLRACE_HANDLERS_FOLDER", str(Path.cwd()))
    folders = [str(Path(each).absolute()) for each in os.environ.get("PYTHONPATH", "").split(os.pathsep) if each]
    os.environ["PYTHONPATH"] = os.pathsep.join(folders)


def _check_port(port: int) -> None:
    try:
        credentials.bind(port)
    except PermissionError:
        raise Stop(f"port {port} is for root alone; choose one from 1024 with --port", code=2) from None
    except OSError:
        raise Stop(f"port {port} is taken by another program; choose another one with --port", code=2) from None


def _check_broker_ports(var: Path) -> None:
    """The private broker's ports are known to nobody outside: if a stranger has one, take others."""
    broker = credentials.read(var)["broker"]
    ports = [broker[name] for name in credentials.PORT_NAMES]
    if not os.environ.get("RABBITMQ_URL") and rabbitmq.find() and not all(map(credentials.is_free, ports)):
        credentials.choose_other_ports(var)


def _run(workers: int, port: int) -> int:
    stack = Stack(workers, dict(os.environ))
    link = setup.manage("link")
    for asked in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(asked, lambda *_: stack.stop())
    with step("Starting everything"):
        ready = stack.wait_until_ready(port, workers, PATIENCE_SECONDS)
    refused = not stack.goes_on and stack.telling.has_complained
    stack.telling.speak(with_the_past=not (ready or stack.stopping or refused))
    if not ready and stack.goes_on:
        screen.complain(f"not ready yet: {what_is_missing(port, workers)}; waiting for it")
        ready = stack.wait_until_ready(port, workers, None)
    if ready:
        screen.say(f"Open {setup.answer(link)}")
        screen.say("Ctrl-C stops everything.")
    return _end(stack)


def _end(stack: Stack) -> int:
    code = stack.wait()
    if stack.stopping:
        return 0
    if code == keep.MISCONFIGURED:
        if stack.telling.has_complained:
            return code
        raise Stop("one of the processes cannot run with what it was given; see above", code)
    raise Stop("everything was stopped, because honcho or one of its processes was; bin/dev starts it again")


if __name__ == "__main__":
    sys.exit(screen.run(main))
