"""The relay against a real broker and a real database, as its own process."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from apps.queues.models import Pulse, Queue
from apps.relay.declared import SEAT, TWO_AT_WORK
from apps.tasks.drafts import Draft
from apps.tasks.models import Kind, Task
from apps.tasks.services import create, create_many
from tests.fixtures.broker import Broker
from tests.fixtures.processes import Process, eventually
from tests.relay.rig import QUEUE, Run, hung, opened, serving, take, without_room
from workers import publisher
from workers.messages import AGAIN_HEADER


def handed_over() -> int:
    return Task.objects.filter(dispatch_at=None).count()


def test_a_created_task_arrives_and_is_marked(alice: User, relay: Process, channel: Any) -> None:
    task = create(user=alice, draft=Draft(name="n", kind="demo.noop", params={"x": [1, "ü"]}))
    [(body, headers)] = take(channel, 1)
    assert body == {"v": 1, "task": task.pk, "attempt": 1, "kind": "demo.noop", "params": {"x": [1, "ü"]}}
    assert AGAIN_HEADER not in headers
    eventually(lambda: handed_over() == 1)


def test_tasks_arrive_in_the_order_in_which_they_became_due(alice: User, relay: Process, channel: Any) -> None:
    tasks = create_many(user=alice, drafts=[Draft(name=str(n), kind="demo.noop") for n in range(50)])
    assert [body["task"] for body, _ in take(channel, 50)] == [task.pk for task in tasks]


def test_a_scheduled_task_waits_in_the_database_until_it_is_due(alice: User, relay: Process, channel: Any) -> None:
    soon = timezone.now() + timedelta(seconds=1)
    task = create(user=alice, draft=Draft(name="soon", kind="demo.noop", run_at=soon))
    create(user=alice, draft=Draft(name="never", kind="demo.noop", run_at=soon + timedelta(days=1)))
    [(body, _)] = take(channel, 1)
    assert body["task"] == task.pk
    assert timezone.now() >= soon
    eventually(lambda: Task.objects.get(pk=task.pk).reason == "")
    assert Task.objects.get(name="never").reason == "SCHEDULED"


def test_only_a_window_of_the_waiting_tasks_goes_to_the_broker(alice: User, relay: Process) -> None:
    create_many(user=alice, drafts=[Draft(name=str(n), kind="demo.noop") for n in range(500)])
    eventually(lambda: handed_over() == 200)
    eventually(lambda: Pulse.objects.get(name="relay").seen_at > timezone.now() - timedelta(seconds=0.2))
    assert handed_over() == 200


def test_what_a_dead_relay_may_have_sent_is_sent_again_and_says_so(
    alice: User, run: Run, broker: Broker, channel: Any
) -> None:
    first = run("manage.py", "relay", RABBITMQ_URL=broker.url("relay"))
    eventually(lambda: Pulse.objects.filter(name="broker", trouble="").exists())
    first.kill()
    create(user=alice, draft=Draft(name="before", kind="demo.noop"))
    run("manage.py", "relay", RABBITMQ_URL=broker.url("relay"))
    eventually(lambda: handed_over() == 1)
    create(user=alice, draft=Draft(name="after", kind="demo.noop"))
    assert [AGAIN_HEADER in headers for _, headers in take(channel, 2)] == [True, False]


def test_tasks_wait_while_the_broker_is_away(alice: User, run: Run, broker: Broker) -> None:
    relay = run("manage.py", "relay", RABBITMQ_URL=broker.url("relay"))
    eventually(lambda: Pulse.objects.filter(name="broker", trouble="").exists())
    broker.stop()
    eventually(lambda: Pulse.objects.filter(name="broker", trouble__contains="cannot use RabbitMQ").exists())
    task = create(user=alice, draft=Draft(name="patient", kind="demo.noop"))
    broker.start()
    eventually(lambda: handed_over() == 1)
    eventually(lambda: Pulse.objects.filter(name="broker", trouble="").exists())
    with opened(broker) as channel:
        [(body, _)] = take(channel, 1)
        channel.queue_delete(QUEUE)
    assert body["task"] == task.pk
    assert relay.output.count("waiting for RabbitMQ") == 1


def test_a_deleted_queue_is_declared_again(alice: User, relay: Process, channel: Any) -> None:
    channel.queue_delete(QUEUE)
    task = create(user=alice, draft=Draft(name="n", kind="demo.noop"))
    eventually(lambda: handed_over() == 1)
    assert take(channel, 1)[0][0]["task"] == task.pk


def test_a_second_relay_stands_by_until_the_first_is_gone(
    alice: User, relay: Process, run: Run, broker: Broker
) -> None:
    second = run("manage.py", "relay", RABBITMQ_URL=broker.url("relay"))
    eventually(lambda: "another relay is at work; standing by" in second.output)
    relay.kill()
    create(user=alice, draft=Draft(name="n", kind="demo.noop"))
    eventually(lambda: handed_over() == 1)


def test_a_queue_that_somebody_declared_otherwise_holds_up_no_other(
    alice: User, run: Run, broker: Broker, channel: Any
) -> None:
    channel.queue_declare("millrace.tasks.odd", durable=True)
    Queue.objects.create(name="odd")
    Queue.objects.create(name="zebra")
    for queue in ("odd", "default", "zebra"):
        Kind.objects.create(name=queue, queue=queue, schema={"type": "object"}, announced_at=timezone.now())
        create(user=alice, draft=Draft(name=queue, kind=queue))
    relay = run("manage.py", "relay", RABBITMQ_URL=broker.url("relay"))
    eventually(lambda: handed_over() == 2)
    assert Task.objects.get(queue="odd").dispatch_at
    eventually(lambda: Pulse.objects.filter(name="broker", trouble__contains="The queue odd cannot be used").exists())
    assert relay.output.count("the queue odd cannot be used: PRECONDITION_FAILED") == 1
    for queue in ("odd", "zebra"):
        channel.queue_delete(f"millrace.tasks.{queue}")


def test_two_of_them_on_one_virtual_host_do_not_share_it(alice: User, run: Run, broker: Broker, channel: Any) -> None:
    channel.queue_declare(SEAT, exclusive=True)
    relay = run("manage.py", "relay", RABBITMQ_URL=broker.url("relay"))
    eventually(lambda: TWO_AT_WORK in relay.output)
    eventually(lambda: Pulse.objects.filter(name="broker", trouble__contains=TWO_AT_WORK).exists())
    create(user=alice, draft=Draft(name="n", kind="demo.noop"))
    channel.queue_delete(SEAT)
    eventually(lambda: handed_over() == 1)
    assert relay.output.count(TWO_AT_WORK) == 1


def test_sigterm_ends_it_in_order(relay: Process) -> None:
    assert relay.stop() == 0
    assert "Traceback" not in relay.output


def test_a_broker_that_hangs_is_noticed_and_gone_on_with(alice: User, relay: Process, broker: Broker) -> None:
    with hung(broker):
        create(user=alice, draft=Draft(name="patient", kind="demo.noop"))
        eventually(lambda: Pulse.objects.filter(name="broker", trouble__contains="it does not answer").exists())
    eventually(lambda: handed_over() == 1)
    eventually(lambda: Pulse.objects.filter(name="broker", trouble="").exists())
    assert relay.output.count("no confirm within 15 s") == 1


def test_a_broker_without_room_is_waited_for_on_the_same_connection(
    alice: User, broker: Broker, channel: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publisher, "CONFIRM_SECONDS", 0.2)
    with serving(broker), opened(broker) as other:
        eventually(lambda: Pulse.objects.filter(name="broker", trouble="").exists())
        with without_room(broker):
            create(user=alice, draft=Draft(name="patient", kind="demo.noop"))
            eventually(lambda: Pulse.objects.filter(name="broker", trouble__contains="out of memory").exists())
            said_at = Pulse.objects.get(name="broker").seen_at
            eventually(lambda: Pulse.objects.get(name="broker").seen_at > said_at)
            assert "out of memory" in Pulse.objects.get(name="broker").trouble
        [(_, headers)] = take(other, 1)
    assert AGAIN_HEADER not in headers


def test_sigterm_does_not_wait_for_a_broker_that_hangs(alice: User, relay: Process, broker: Broker) -> None:
    with hung(broker):
        create(user=alice, draft=Draft(name="n", kind="demo.noop"))
        assert relay.stop() == 0
    assert "Traceback" not in relay.output
    assert handed_over() == 0


def test_a_wrong_password_is_said_once_and_tried_again(alice: User, run: Run, broker: Broker) -> None:
    relay = run("manage.py", "relay", RABBITMQ_URL=broker.url("relay").replace("://relay:", "://relay:not"))
    said = "it refuses the user name or password"
    eventually(lambda: Pulse.objects.filter(name="broker", trouble__contains=said).exists())
    assert relay.output.count(said) == 1
    assert "Traceback" not in relay.output


@pytest.mark.parametrize("url", ["http://127.0.0.1", "amqp://", "nonsense"])
def test_a_wrong_broker_url_stops_the_start_with_one_line(run: Run, url: str) -> None:
    process = run("manage.py", "relay", RABBITMQ_URL=url)
    assert process.child.wait(120) == 2
    assert process.output.startswith("error: RABBITMQ_URL")
    assert len(process.output.splitlines()) == 1
