"""Three RabbitMQ nodes on this machine that form a cluster, each of which can be killed, started again, or cut off."""

import secrets
import signal
import subprocess
from pathlib import Path
from typing import Any

from devstack import credentials, lifeline, node, rabbitmq
from tests.fixtures import erlang
from tests.fixtures.processes import eventually

NODES = 3
BOOT_SECONDS = 120
LEAVE = "spawn(erlang, disconnect_node, [N])"


class Cluster:
    """Nodes 0, 1 and 2; `url` names them all, in this order."""

    def __init__(self, folder: Path) -> None:
        self._server = rabbitmq.ensure()
        self._epmd_port = credentials.free_port()
        self._login = secrets.token_urlsafe(24)
        self._nodes = [_Node(folder / f"node{number}", number, self._login, self._epmd_port) for number in range(NODES)]
        cookie = secrets.token_urlsafe(32)
        for each in self._nodes:
            each.prepare(self._server, cookie)

    @property
    def url(self) -> str:
        return ",".join(f"amqp://relay:{self._login}@127.0.0.1:{each.port}/%2F" for each in self._nodes)

    def start(self) -> None:
        """All at once: each waits for the others when it boots for the first time."""
        epmd = ["epmd", "-port", str(self._epmd_port), "-address", "127.0.0.1"]
        self._epmd = _spawn(epmd, self._nodes[0].environment, self._nodes[0].folder, "epmd.log")
        for number in range(NODES):
            self.start_node(number)
        for number in range(NODES):
            self.wait_for(number)
        eventually(lambda: self.running(0) == NODES, BOOT_SECONDS)

    def stop(self) -> None:
        for each in self._nodes:
            each.kill()
        self._epmd.kill()
        self._epmd.wait()

    def start_node(self, number: int) -> None:
        self._nodes[number].start()

    def wait_for(self, number: int) -> None:
        eventually(lambda: node.answers(self._nodes[number].port), BOOT_SECONDS)

    def kill(self, number: int) -> None:
        """kill -9."""
        self._nodes[number].kill()

    def leader(self, queue: str) -> int:
        """Where the queue's leader is, as a node that answers has it."""
        name = f'rabbit_misc:r(<<"/">>, queue, <<"{queue}">>)'
        said = self._any().evaluate(
            f"{{ok, Q}} = rabbit_amqqueue:lookup({name}), proplists:get_value(leader, rabbit_amqqueue:info(Q))."
        )
        return int(said.strip("'").removeprefix("millrace").partition("@")[0])

    def running(self, number: int) -> int:
        """How many nodes are up, as this one sees it."""
        return int(self._nodes[number].evaluate("length(rabbit_mnesia:cluster_nodes(running))."))

    def cut_off(self, number: int) -> None:
        """Part this node from the others, as a broken network does: it shows them a cookie that they refuse.

        From both at once: one that loses it while another still hears from it pauses, until all three are back. So
        neither asks the other before both have lost it.
        """
        parted, others = self._nodes[number], [each for each in self._nodes if each.number != number]
        for each in others:
            each.evaluate("sys:suspend(rabbit_node_monitor).")
        self._tell(number, f"{self._all(number, 'erlang:set_cookie(N, parted)')}, {self._all(number, LEAVE)}")
        gone = f"not lists:member('{parted.name}', nodes())."
        eventually(lambda: all(each.evaluate(gone) == "true" for each in others), BOOT_SECONDS)
        for each in others:
            each.evaluate("sys:resume(rabbit_node_monitor).")

    def heal(self, number: int) -> None:
        self._tell(number, self._all(number, f"erlang:set_cookie(N, '{self._nodes[number].cookie}')"))

    def _tell(self, number: int, code: str) -> None:
        self._nodes[number].evaluate(f"{code}.")

    def _all(self, number: int, code: str) -> str:
        """The code for each of the others, as `N`."""
        others = ",".join(f"'{each.name}'" for each in self._nodes if each.number != number)
        return f"[{code} || N <- [{others}]]"

    def _any(self) -> "_Node":
        return next(each for each in self._nodes if node.answers(each.port))


class _Node:
    def __init__(self, folder: Path, number: int, login: str, epmd_port: int) -> None:
        self.folder = folder
        self.number = number
        self.name = f"millrace{number}@localhost"
        self.port = credentials.free_port()
        self.environment: dict[str, str] = {}
        self.cookie = ""
        ports = {"port": self.port, "dist_port": credentials.free_port(), "epmd_port": epmd_port}
        self._broker: dict[str, Any] = {**ports, "logins": {"relay": login}}
        self._process: subprocess.Popen[bytes] | None = None

    def prepare(self, server: rabbitmq.Server, cookie: str) -> None:
        """As bin/dev's own node, with another name, the cluster's cookie, and what makes it join the others."""
        self.cookie = cookie
        (self.folder / "home").mkdir(parents=True)
        (self.folder / "home" / ".erlang.cookie").write_text(cookie)
        self.environment = node.prepare(self.folder, server, self._broker)
        self.environment["RABBITMQ_NODENAME"] = self.name
        members = [
            f"cluster_formation.classic_config.nodes.{number + 1} = millrace{number}@localhost"
            for number in range(NODES)
        ]
        more = [
            "cluster_formation.peer_discovery_backend = classic_config",
            *members,
            "cluster_partition_handling = pause_minority",
        ]
        with (self.folder / "rabbitmq.conf").open("a") as file:
            file.write("\n".join(more) + "\n")

    def start(self) -> None:
        command = [self.environment["RABBITMQ_SCRIPTS_DIR"] + "/rabbitmq-server"]
        self._process = _spawn(command, self.environment, self.folder, "console.log")

    def kill(self) -> None:
        if self._process:
            self._process.kill()
            self._process.wait()
            self._process = None

    def evaluate(self, expression: str) -> str:
        return erlang.evaluate(expression, self.folder, self._broker)


def _spawn(command: list[str], environment: dict[str, str], folder: Path, log: str) -> "subprocess.Popen[bytes]":
    with (folder / "log" / log).open("ab") as output:
        return subprocess.Popen(
            command,
            env=environment,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            preexec_fn=lifeline.leave_with_parent(signal.SIGKILL),  # noqa: PLW1509 forked before any test's thread
        )
