"""Three RabbitMQs of one cluster on this machine."""

import secrets
import subprocess
from pathlib import Path

import urllib3

from scripts.binaries import rabbitmq_server
from scripts.ports import LOOPBACK, free_port, free_ports
from scripts.rabbit_server import VIRTUAL_HOST, Rabbit
from scripts.service import Service
from scripts.services import start_together
from tests.pipeline.rabbit import manage
from tests.polling import wait_until

NODES = 3
PORTS_EACH = 3
NAMES = [f"blend_pos{number}@{LOOPBACK}" for number in range(NODES)]
COOKIE = secrets.token_hex(16)
SETTINGS = {
    "cluster_formation.peer_discovery_backend": "classic_config",
    "cluster_formation.randomized_startup_delay_range.min": "0",
    "cluster_formation.randomized_startup_delay_range.max": "1",
    "cluster_formation.discovery_retry_limit": "2",
    "cluster_partition_handling": "pause_minority",
    "net_ticktime": "15",
    **{f"cluster_formation.classic_config.nodes.{number + 1}": name for number, name in enumerate(NAMES)},
}
# None that the management plugin adds. Before 3.11 a node that starts asks the others for each flag that it has on;
# one that is only starting, too, knows its plugins' a moment later, and who asked it meanwhile gives up for good.
FEATURE_FLAGS = (
    "implicit_default_bindings,maintenance_mode_status,quorum_queue,stream_queue,user_limits,virtual_host_metadata"
)


class PortMapper(Service):
    """Erlang's epmd, by itself: where a node started it, it would end with that node."""

    name = "epmd"

    @property
    def url(self) -> str:
        return f"{LOOPBACK}:{self.ports[0]}"

    def prepare(self) -> list[str]:
        return ["epmd", "-port", str(self.ports[0]), "-address", LOOPBACK]

    def answers(self) -> bool:
        names = ["epmd", "-port", str(self.ports[0]), "-names"]
        return subprocess.run(names, capture_output=True, check=False, env=self.environment()).returncode == 0


class Node(Rabbit):
    """One of them."""

    def __init__(self, *, folder: Path, number: int, ports: list[int], epmd: int, password: str) -> None:
        super().__init__(
            folder=folder,
            ports=[*ports, epmd],
            password=password,
            counting_s=1,
            settings=SETTINGS,
        )
        self.ports = self.ports[:PORTS_EACH]  # epmd's is not its own
        self.node = NAMES[number]

    def prepare(self) -> list[str]:
        cookie = self.folder / ".erlang.cookie"
        if not cookie.exists():
            cookie.touch(mode=0o600)
            cookie.write_text(COOKIE)
            cookie.chmod(0o400)
        return super().prepare()

    def environment(self) -> dict[str, str]:
        return super().environment() | {"RABBITMQ_NODENAME": self.node, "RABBITMQ_FEATURE_FLAGS": FEATURE_FLAGS}


class RabbitNodes:
    """The three, and epmd."""

    def __init__(self, *, folder: Path) -> None:
        ports, epmd, password = free_ports(NODES * PORTS_EACH), free_port(), secrets.token_hex(16)
        rabbitmq_server()  # missing, the tests do not run
        self._mapper = PortMapper(folder=folder / "epmd", ports=[epmd])
        self.each = [
            Node(
                folder=folder / f"node-{number}",
                number=number,
                ports=ports[number * PORTS_EACH : (number + 1) * PORTS_EACH],
                epmd=epmd,
                password=password,
            )
            for number in range(NODES)
        ]

    @property
    def url(self) -> str:
        return ";".join(node.url for node in self.each)

    @property
    def management_url(self) -> str:
        return ";".join(node.management_url for node in self.each)

    def start(self) -> None:
        """Start what does not run; returns when each knows the others."""
        self._mapper.start()
        if not self.each[0].folder.exists():
            self.each[0].start()  # the others join it
        start_together(self.each)
        wait_until(self._are_one, timeout_s=60, what="the three are a cluster")

    def kill(self) -> None:
        for service in (*self.each, self._mapper):
            service.kill()

    def leader_of(self, queue: str) -> Node:
        """The node that leads a quorum queue."""
        running = next(node for node in self.each if node.running)
        leader = manage(running, "GET", f"queues/{VIRTUAL_HOST}/{queue}")["leader"]
        return next(node for node in self.each if node.node == leader)

    def members_of(self, queue: str) -> set[str]:
        """The nodes that have a copy and are up."""
        running = next(node for node in self.each if node.running)
        return set(manage(running, "GET", f"queues/{VIRTUAL_HOST}/{queue}")["online"])

    def _are_one(self) -> bool:
        try:
            return all(
                {node["name"] for node in manage(node_asked, "GET", "nodes") if node["running"]} == set(NAMES)
                for node_asked in self.each
            )
        except urllib3.exceptions.HTTPError:
            return False  # one that finds itself in a minority listens again once it is with the others
