"""What is promised of a cluster: it may lose any one node under load; nothing is lost, and work goes on without it."""

from pathlib import Path

from tests.cluster import trial
from tests.cluster.cluster import NODES


def test_nothing_is_lost_when_a_cluster_loses_its_leader_each_node_and_a_part(tmp_path: Path) -> None:
    with trial.running(tmp_path) as on_cluster:
        with on_cluster.load():
            trial.lose_nodes(on_cluster)
        on_cluster.wait_for_all()
        assert [name for name, _ in on_cluster.gaps()] == [name for name, _ in on_cluster.faults]
        assert len(on_cluster.faults) == 1 + 2 * NODES
        assert on_cluster.lost() == 0
        assert on_cluster.recorded_otherwise() == 0
