"""Mechanisms of the product, each taken away: a test that does not notice proves nothing.

`WITHOUT[mechanism][module]` changes that module right after its import.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from types import SimpleNamespace
from typing import Any


def _never_mandatory(frames: Any) -> None:
    """What leads to no queue is dropped by the broker, and confirmed."""
    publish = frames.spec.Basic.Publish
    careless = SimpleNamespace(Publish=lambda **fields: publish(**{**fields, "mandatory": False}))
    _replace(frames, "spec", SimpleNamespace(Basic=careless))


def _handed_over_unconfirmed(rounds: Any) -> None:
    """The relay takes for confirmed whatever it has sent."""

    under_way = set()

    class Hopeful(rounds.Publisher):  # type: ignore[misc]
        async def publish(self, batch: Any) -> Any:
            sending = asyncio.ensure_future(super().publish(batch))
            under_way.add(sending)
            sending.add_done_callback(under_way.discard)
            await asyncio.sleep(0)
            return [rounds.Verdict.CONFIRMED] * len(batch)

    _replace(rounds, "Publisher", Hopeful)


def _acked_before_confirmed(reporter: Any) -> None:
    """A delivery is acked as soon as its outcome is known here."""
    outcome = reporter.Reporter.outcome

    def and_ack(self: Any, taken: Any, event: bytes) -> None:
        outcome(self, taken, event)
        self._on_confirmed([taken])

    _replace(reporter.Reporter, "outcome", and_ack)


def _recorded_whatever_it_was(lifecycle: Any) -> None:
    """Every step may be taken from every status."""
    _replace(lifecycle, "FINAL", frozenset())
    everything = frozenset(lifecycle.Status)
    for name, step in list(vars(lifecycle).items()):
        if isinstance(step, lifecycle.Step):
            setattr(lifecycle, name, replace(step, before=everything))


def _given_back_to_the_queue(recorder: Any) -> None:
    """The sink returns what the web does not take, instead of holding it."""

    async def record(self: Any, batch: Any) -> None:
        try:
            count = sum(len(each.events) for each in batch)
            await self._client.record([each.body for each in batch], count)
        except recorder.EndpointError:
            for each in batch:
                self._settling.give_back(each.delivery.tag)
        else:
            self._ack(batch)

    _replace(recorder.Recorder, "record", record)


def _acks_on_the_publishing_connection(consumer: Any) -> None:
    """The sink has one connection, on which it publishes before each mutation."""
    from workers.broker import BAD_EXCHANGE, BAD_KEY
    from workers.publisher import Message

    async def run(self: Any) -> None:
        while True:
            await self._publisher.ready()
            lost = await self._serve(self._publisher._channel.connection)
            self._publisher._channel.connection.drop(str(lost))
            await asyncio.sleep(0.1)

    class Recorder(consumer.Recorder):  # type: ignore[misc]
        async def record(self, batch: Any) -> None:
            note = Message(exchange=BAD_EXCHANGE, routing_key=BAD_KEY, body=b"on its way")
            under_way.append(asyncio.ensure_future(self._publisher.publish([note])))
            await asyncio.sleep(0)
            await super().record(batch)

    under_way: list[Any] = []
    _replace(consumer.Consumer, "run", run)
    _replace(consumer, "Recorder", Recorder)


def _few_deliveries(topology: Any) -> None:
    """RabbitMQ 4's own limit."""
    _replace(topology, "OUTCOME_DELIVERIES", 20)


def _replace(owner: Any, name: str, by: Any) -> None:
    """It has to be there: what is replaced where nobody looks takes nothing away."""
    assert hasattr(owner, name), f"{owner} has no {name}"
    setattr(owner, name, by)


WITHOUT: Mapping[str, Mapping[str, Callable[[Any], None]]] = {
    "mandatory": {"workers.frames": _never_mandatory},
    "confirmed_handover": {"apps.relay.rounds": _handed_over_unconfirmed},
    "confirmed_outcome": {"workers.reporter": _acked_before_confirmed},
    "two_connections": {"sink.consumer": _acks_on_the_publishing_connection},
    "compare_and_set": {"apps.tasks.lifecycle": _recorded_whatever_it_was},
    "requeue": {"sink.recorder": _given_back_to_the_queue, "workers.topology": _few_deliveries},
}
