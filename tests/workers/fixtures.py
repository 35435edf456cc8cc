"""Fixtures of the tests of workers and sink."""

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import pytest

from tests.fixtures.broker import Broker
from tests.fixtures.processes import Process
from tests.workers.rig import Rabbit, Web, serving

Start = Callable[..., Process]
ODD = "workers.handlers.demo,tests.workers.odd_handlers"  # without numpy, which takes a while to import


@contextmanager
def started(broker: Broker, module: str, *options: str, **environment: str) -> Iterator[Process]:
    """A process of ours with its role's login and token; what it said is shown when the test fails."""
    role = {"workers": "worker"}.get(module, module)
    given = {"RABBITMQ_URL": broker.url(role), "MILLRACE_TOKEN": f"token-of-{role}"}
    process = Process("-m", module, *options, **{**given, **environment})
    try:
        yield process
    finally:
        if process.child.poll() is None:
            process.kill()
        sys.stdout.write(process.output)


@pytest.fixture
def rabbit(broker: Broker, request: pytest.FixtureRequest) -> Rabbit:
    if "shared" in request.fixturenames:  # whose worker would lose its queues
        return request.getfixturevalue("shared").rabbit()  # type: ignore[no-any-return]
    rabbit = Rabbit(broker)
    rabbit.make_queues()
    return rabbit


@pytest.fixture
def web(request: pytest.FixtureRequest) -> Iterator[Web]:
    if "shared" in request.fixturenames:
        web: Web = request.getfixturevalue("shared").web
        web.forget()
        yield web
        return
    with serving(Web()) as web:
        yield web


@pytest.fixture
def start(broker: Broker, web: Web) -> Iterator[Start]:
    """`start("workers", "--concurrency", "2")` starts a process that is ended with the test."""
    with ExitStack() as running:
        yield lambda module, *options, **environment: running.enter_context(
            started(broker, module, *options, **{"MILLRACE_URL": web.url, **environment})
        )


@pytest.fixture
def worker(rabbit: Rabbit, start: Start) -> Start:
    """`worker("--concurrency", "2")` starts a worker that knows the demo kinds and the odd ones."""

    def start_worker(*options: str, **environment: str) -> Process:
        return start("workers", *options, **{"MILLRACE_HANDLERS": ODD, **environment})

    return start_worker
