"""`python -m workers`: a worker process."""

import asyncio
import os
import signal
from dataclasses import replace

from workers import artifacts, limits, log, options, tree
from workers.builtin import BUILT_IN, SANDBOX
from workers.children import HandlersUnusable, Template
from workers.descriptors import open_closed
from workers.sandbox import settings as sandbox_settings
from workers.sandbox.limits import Limits
from workers.sandbox.probe import SWITCHED_OFF, Findings, find_bubblewrap, probe
from workers.worker import Settings, Worker


def main() -> None:
    open_closed()
    settings, sandbox_limits = _settings()
    log.configure()
    tree.adopt_orphans()
    with asyncio.Runner() as runner:
        exit_code = runner.run(_run(settings, sandbox_limits))
        os._exit(exit_code)  # the runner would wait for a thread that looks up the name of the web


async def _run(settings: Settings, sandbox_limits: Limits | None) -> int:
    """`sandbox_limits`: None when code is not to be run."""
    signals: asyncio.Queue[signal.Signals] = asyncio.Queue()
    for each in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(each, signals.put_nowait, each)
    finding = asyncio.create_task(_find_sandbox(sandbox_limits))  # takes as long as the template
    try:
        template = await Template.start(settings.modules)
    except HandlersUnusable as error:
        options.refuse(str(error))
    settings = replace(settings, sandbox=await finding or settings.sandbox)
    try:
        await Worker(settings, template, signals).run()
    except HandlersUnusable as error:
        log.get_logger().error("handlers.unusable", text="no task can be run any more: {reason}", reason=error)
        return 1  # whoever started it starts it again
    return 0


async def _find_sandbox(limits: Limits | None) -> Findings | None:
    return await asyncio.to_thread(probe, limits, find_bubblewrap()) if limits else None


def _settings() -> tuple[Settings, Limits | None]:
    parser = options.Parser(prog="python -m workers", description="Takes tasks from RabbitMQ and runs them.")
    parser.add_argument(
        "--concurrency",
        metavar="N",
        default=os.environ.get("MILLRACE_CONCURRENCY") or "1",
        help="how many tasks run at once (1 to 64; default: MILLRACE_CONCURRENCY, else 1)",
    )
    parser.add_argument("--queues", metavar="NAMES", default="default", help="which queues, separated by commas")
    parser.add_argument(
        "--grace", metavar="SECONDS", default="3.5", help="how long running tasks may go on after SIGTERM"
    )
    given = parser.parse_args()
    _check_limits()
    modules = options.words("MILLRACE_HANDLERS")(os.environ.get("MILLRACE_HANDLERS") or ",".join(BUILT_IN))
    code, is_on = SANDBOX in modules, sandbox_settings.is_on()
    settings = Settings(
        concurrency=options.whole_number("--concurrency", 1, 64)(given.concurrency),
        queues=options.queue_names("--queues")(given.queues),
        grace_seconds=options.seconds("--grace", 0, 86_400)(given.grace),
        modules=[module for module in modules if module != SANDBOX],
        addresses=options.broker_addresses(),
        web_url=options.web_url(),
        token=options.token("worker"),
        artifact_bytes=artifacts.largest(os.environ),
        sandbox=SWITCHED_OFF if code and not is_on else None,
    )
    return settings, sandbox_settings.read() if code and is_on else None


def _check_limits() -> None:
    """The children read them, when it is too late to say what is wrong."""
    try:
        limits.read(os.environ)
        artifacts.largest(os.environ)
    except ValueError as error:
        options.refuse(str(error))


if __name__ == "__main__":
    main()
