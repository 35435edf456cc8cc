"""`manage.py parked` on a real broker, and what the relay says of it."""

from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command

from apps.audit.models import Entry
from apps.queues.models import Pulse
from tests.fixtures.broker import Broker
from tests.fixtures.processes import Process, eventually
from tests.workers.rig import Rabbit
from workers.broker import BAD


@pytest.fixture
def rabbit(broker: Broker, settings: Any) -> Rabbit:
    settings.RABBITMQ_URL = broker.url("relay")
    rabbit = Rabbit(broker)
    rabbit.make_queues()
    rabbit.put_bodies(f"{BAD}.bad", b'{"v":1}', headers={"x-why": "no worker", "x-source": "millrace.outcomes"})
    rabbit.put_bodies(f"{BAD}.bad", b"\x1b[2J" + b"x" * 1000, headers={"x-why": "not JSON"})
    return rabbit


def parked(*options: str) -> str:
    output = StringIO()
    call_command("parked", *options, stdout=output)
    return output.getvalue()


def test_it_lists_what_is_parked_and_leaves_it_there(rabbit: Rabbit) -> None:
    assert parked() == (
        "no worker\n"
        '  from millrace.outcomes, 7 bytes: {"v":1}\n'
        "not JSON\n"
        f"  from unknown, 1,004 bytes: \\x1b[2J{'x' * 196}\n"
        "2 messages parked.\n"
    )
    eventually(lambda: rabbit.count(BAD) == 2)


@pytest.mark.django_db
def test_it_forgets_what_it_has_listed(rabbit: Rabbit) -> None:
    forgotten = parked("--forget")
    assert Entry.objects.filter(act="parked.forget", count=2).count() == 1
    assert "from millrace.outcomes" in forgotten
    assert forgotten.endswith("2 messages removed.\n")
    eventually(lambda: rabbit.count(BAD) == 0)
    assert parked() == "Nothing is parked.\n"


def test_without_a_queue_nothing_is_parked(rabbit: Rabbit, capsys: pytest.CaptureFixture[str]) -> None:
    with rabbit.opened() as channel:
        channel.queue_delete(BAD)
    with pytest.raises(SystemExit):
        parked()
    assert capsys.readouterr().err == "error: nothing is parked: RabbitMQ is not prepared yet\n"


@pytest.mark.django_db(transaction=True)
def test_the_relay_says_how_many_are_parked(rabbit: Rabbit, relay: Process) -> None:
    eventually(lambda: Pulse.objects.filter(name="parked", trouble__startswith="2 messages that nobody").exists())
    parked("--forget")
    eventually(lambda: Pulse.objects.filter(name="parked", trouble="").exists())
