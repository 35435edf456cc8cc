"""The private RabbitMQ node with logins that may use queues of any name: `python -m tests.benchmarks.peers.broker`."""

import sys

from devstack import broker, node, screen

if __name__ == "__main__":
    everything = dict.fromkeys(("configure", "write", "read"), ".*")
    node.PERMISSIONS = dict.fromkeys(node.PERMISSIONS, everything)
    sys.exit(screen.run(broker.main))
