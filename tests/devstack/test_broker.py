"""The private RabbitMQ node, a real one."""

import contextlib
import os
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pika
import pytest
from pika.adapters.blocking_connection import BlockingChannel
from pika.exceptions import AMQPError, ChannelClosedByBroker, ProbableAuthenticationError

from devstack import broker as launcher
from devstack import credentials, lifeline, node, places
from tests.fixtures.broker import Broker
from tests.fixtures.processes import eventually

TASKS, EXCHANGE = "millrace.tasks.node-test", "millrace.tasks"
LOOPBACK = {"0100007F", "00000000000000000000000001000000"}
ACCESS_REFUSED = 403


@pytest.fixture
def channel(broker: Broker) -> Iterator[Callable[[str], BlockingChannel]]:
    """`channel("relay")`: a channel with the login of that role."""
    connections: list[pika.BlockingConnection] = []

    def open_channel(role: str) -> BlockingChannel:
        connections.append(pika.BlockingConnection(pika.URLParameters(broker.url(role))))
        return connections[-1].channel()

    yield open_channel
    for connection in connections:
        with contextlib.suppress(AMQPError):  # its node may have been killed
            connection.close()


def processes_of(folder: Path) -> list[str]:
    """Command lines of all processes that know this folder, by environment or by a file that they hold open."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            known = (entry / "environ").read_bytes() + (entry / "cmdline").read_bytes()
            if os.fsencode(folder) in known and int(entry.name) != os.getpid():
                found.append((entry / "cmdline").read_text(errors="replace").replace("\0", " "))
        except OSError:  # it has just ended
            continue
    return found


def listening_addresses(pids: set[int]) -> set[str]:
    """The local addresses, as the kernel writes them, on which these processes listen."""
    sockets = {str(link.readlink()) for pid in pids for link in Path(f"/proc/{pid}/fd").iterdir() if link.is_symlink()}
    rows = [row.split() for table in ("tcp", "tcp6") for row in Path(f"/proc/net/{table}").read_text().splitlines()[1:]]
    return {row[1].partition(":")[0] for row in rows if row[3] == "0A" and f"socket:[{row[9]}]" in sockets}


def descendants(pid: int) -> set[int]:
    children = set(lifeline.children_of(pid))
    return children.union(*map(descendants, children))


def test_it_listens_on_this_machine_alone(broker: Broker) -> None:
    assert broker._process
    found = listening_addresses(descendants(broker._process.pid))
    assert found
    assert found <= LOOPBACK


def test_its_files_are_closed_to_others_and_it_has_no_plugins(broker: Broker) -> None:
    folder = broker.var / "broker"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / "home/.erlang.cookie").stat().st_mode) == 0o400
    assert (folder / "enabled_plugins").read_text() == "[].\n"
    there = {path.name.partition("-")[0] for path in (folder / "server/plugins").iterdir()}
    assert "rabbit" in there
    assert not {name for name in there if name.startswith("rabbitmq_management")}


def test_the_well_known_guest_is_refused(broker: Broker) -> None:
    with pytest.raises(ProbableAuthenticationError):
        pika.BlockingConnection(pika.URLParameters(f"amqp://guest:guest@127.0.0.1:{broker.port}/%2F"))


@pytest.mark.parametrize("role", ["worker", "sink"])
def test_only_the_relay_may_declare(role: str, channel: Callable[[str], BlockingChannel]) -> None:
    with pytest.raises(ChannelClosedByBroker) as closed:
        channel(role).queue_declare("millrace.tasks.mine")
    assert closed.value.reply_code == ACCESS_REFUSED


@pytest.mark.parametrize(("role", "queue"), [("worker", "millrace.outcomes"), ("sink", TASKS), ("worker", "other")])
def test_a_role_reads_its_own_queues_alone(role: str, queue: str, channel: Callable[[str], BlockingChannel]) -> None:
    with pytest.raises(ChannelClosedByBroker) as closed:
        channel(role).basic_get(queue)
    assert closed.value.reply_code == ACCESS_REFUSED


def test_a_worker_cannot_make_tasks(channel: Callable[[str], BlockingChannel]) -> None:
    channel("relay").exchange_declare(EXCHANGE, "direct", durable=True)
    worker = channel("worker")
    worker.confirm_delivery()
    with pytest.raises(ChannelClosedByBroker) as closed:
        worker.basic_publish(EXCHANGE, "default", b"{}")
    assert closed.value.reply_code == ACCESS_REFUSED


def test_after_a_power_cut_nothing_is_left_and_what_was_confirmed_is_kept(
    broker: Broker, channel: Callable[[str], BlockingChannel]
) -> None:
    relay = channel("relay")
    relay.queue_declare(TASKS, durable=True, arguments={"x-queue-type": "quorum"})
    relay.exchange_declare(EXCHANGE, "direct", durable=True)
    relay.queue_bind(TASKS, EXCHANGE, "node-test")
    relay.confirm_delivery()
    relay.basic_publish(EXCHANGE, "node-test", b"kept", mandatory=True)
    names = broker.var / "broker/data" / node.NAME / "quorum" / node.NAME / "names.dets"
    eventually(lambda: TASKS.encode() in names.read_bytes())

    broker.kill()
    eventually(lambda: not processes_of(broker.var))
    broker.start()

    def got() -> bytes | None:
        body: bytes | None = relay_now.basic_get(TASKS, auto_ack=True)[2]
        return body

    relay_now = channel("relay")
    eventually(lambda: got() == b"kept")
    relay_now.queue_delete(TASKS)


def test_after_an_orderly_stop_nothing_is_left(broker: Broker) -> None:
    broker.stop()
    assert processes_of(broker.var) == []
    broker.start()


def test_a_killed_part_ends_the_node_whole_and_is_named(broker: Broker, capfd: pytest.CaptureFixture[str]) -> None:
    broker.restart()  # now its words are heard
    for program, said in (
        ("epmd", "error: epmd, by which RabbitMQ is found, was ended from outside, and RabbitMQ with it\n"),
        ("beam.smp", f"error: RabbitMQ ended by itself; why is written in {broker.var / 'broker/log'}\n"),
    ):
        assert broker._process
        (part,) = [
            pid for pid in lifeline.children_of(broker._process.pid) if program in Path(f"/proc/{pid}/comm").read_text()
        ]
        os.kill(part, signal.SIGKILL)
        assert broker._process.wait(120) == 1
        assert capfd.readouterr().err == said
        assert processes_of(broker.var) == []
        broker.start()


def start_launcher(var: Path, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "devstack.broker"],
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(places.ROOT / "site"),
            "MILLRACE_VAR": str(var),
            **environment,
        },
        stderr=subprocess.PIPE,
        text=True,
    )


def test_it_starts_nothing_when_another_broker_is_given(tmp_path: Path) -> None:
    credentials.ensure(tmp_path)
    process = start_launcher(tmp_path, RABBITMQ_URL="amqp://elsewhere/")
    eventually(lambda: "S (sleeping)" in Path(f"/proc/{process.pid}/status").read_text())
    process.terminate()
    process.communicate(timeout=120)
    assert [path.name for path in tmp_path.iterdir()] == ["secrets.json"]


def test_before_the_setup_it_says_what_to_do(tmp_path: Path) -> None:
    assert start_launcher(tmp_path).communicate(timeout=120)[1] == (
        "error: there is no private RabbitMQ yet; run bin/setup first\n"
    )


@pytest.mark.parametrize("name", ["port", "dist_port", "epmd_port"])
def test_a_taken_port_is_named(name: str, tmp_path: Path) -> None:
    port = credentials.ensure(tmp_path)["broker"][name]
    with socket.create_server(("127.0.0.1", port)):
        complaint = start_launcher(tmp_path).communicate(timeout=120)[1]
    assert complaint == f"error: port {port} of the private RabbitMQ is taken by another program\n"


def test_a_second_node_on_the_same_data_is_refused(broker: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launcher, "LOCK_SECONDS", 0.1)
    with pytest.raises(launcher.BrokerError, match=r"^another RabbitMQ node runs on "):
        launcher.run(broker.var, lifeline.Signals([]))
