"""`python -m workers`: a worker process."""

import asyncio
import os
import signal
import sys

from workers import limits, log, options, tree
from workers.children import HandlersUnusable, Template
from workers.registry import BUILT_IN
from workers.worker import Settings, Worker


def main() -> None:
    settings = _settings()
    log.configure()
    tree.adopt_orphans()
    with asyncio.Runner() as runner:
        exit_code = runner.run(_run(settings))
        sys.stderr.flush()
        os._exit(exit_code)  # the runner would wait for a thread that asks the web something that no longer matters


async def _run(settings: Settings) -> int:
    signals: asyncio.Queue[signal.Signals] = asyncio.Queue()
    for each in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(each, signals.put_nowait, each)
    try:
        template = await Template.start(settings.modules)
    except HandlersUnusable as error:
        options.refuse(str(error))
    try:
        await Worker(settings, template, signals).run()
    except HandlersUnusable as error:
        log.get_logger().error("handlers.unusable", text="no task can be run any more: {reason}", reason=error)
        return 1  # whoever started it starts it again
    return 0


def _settings() -> Settings:
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
    return Settings(
        concurrency=options.whole_number("--concurrency", 1, 64)(given.concurrency),
        queues=options.words("--queues")(given.queues),
        grace_seconds=options.seconds("--grace", 0, 86_400)(given.grace),
        modules=options.words("MILLRACE_HANDLERS")(os.environ.get("MILLRACE_HANDLERS") or ",".join(BUILT_IN)),
        addresses=options.broker_addresses(),
        web_url=options.web_url(),
        token=options.token("worker"),
    )


def _check_limits() -> None:
    """The children read them, when it is too late to say what is wrong."""
    try:
        limits.read(os.environ)
    except ValueError as error:
        options.refuse(str(error))


if __name__ == "__main__":
    main()
