"""`python -m sink`: the sink process."""

import argparse
import asyncio
import os
import signal
from collections.abc import Sequence

from sink.artifacts import PATH, Artifacts
from sink.client import Client
from sink.consumer import Consumer
from workers import log, options
from workers.address import Address
from workers.artifacts import OCTETS
from workers.descriptors import open_closed
from workers.endpoint import Endpoint
from workers.publisher import Publisher

LEAVE_SECONDS = 3.5  # a supervisor kills after 5


def main() -> None:
    open_closed()
    parser: argparse.ArgumentParser = options.Parser(
        prog="python -m sink", description="Brings the workers' outcomes home through GraphQL."
    )
    parser.parse_args()
    addresses = options.broker_addresses()
    url, token = options.web_url(), options.token("sink")
    endpoints = Endpoint(url, token), Endpoint(url, token, path=PATH, content_type=OCTETS)
    log.configure()
    with asyncio.Runner() as runner:
        runner.run(_run(addresses, *endpoints))
        os._exit(0)  # the runner would wait for a thread that looks up the name of the web


async def _run(addresses: Sequence[Address], endpoint: Endpoint, artifacts_door: Endpoint) -> None:
    stopped = asyncio.Event()
    for each in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(each, stopped.set)
    publisher = Publisher(addresses)
    consumer = Consumer(addresses, Client(endpoint), publisher)
    artifacts = Artifacts(addresses, artifacts_door, publisher)
    running = [asyncio.create_task(part) for part in (publisher.run(), consumer.run(), artifacts.run())]
    stop = asyncio.create_task(stopped.wait())
    done, _ = await asyncio.wait([stop, *running], return_when=asyncio.FIRST_COMPLETED)
    for task in done:
        task.result()  # only a fault in the program ends the others
    leaving = [asyncio.create_task(part.finish()) for part in (consumer, artifacts)]
    await asyncio.wait(leaving, timeout=LEAVE_SECONDS)
    for task in running:
        task.cancel()
    await asyncio.wait(running, timeout=0.4)


if __name__ == "__main__":
    main()
