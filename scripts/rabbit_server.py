"""A private RabbitMQ, with its management API, beside whatever the system has: nothing is shared with that."""

import http.client
from base64 import b64encode
from collections.abc import Mapping, Sequence
from pathlib import Path

import amqp

from scripts import binaries
from scripts.ports import LOOPBACK
from scripts.service import Service

USER = "blend_pos"
VIRTUAL_HOST = "blend_pos"
NODE = f"blend_pos@{LOOPBACK}"  # constant, since the data folder carries it; an address needs no name service
IDLE_SCHEDULERS = "+sbwt none +sbwtdcpu none +sbwtdio none"  # waiting threads sleep instead of spinning
LOOPBACK_ONLY = "-kernel inet_dist_use_interface {127,0,0,1}"


class Rabbit(Service):
    name = "RabbitMQ"

    def __init__(
        self,
        *,
        folder: Path,
        ports: Sequence[int],
        password: str,
        counting_s: int | None = None,
        settings: Mapping[str, str] | None = None,
        remedy: str = "",
    ) -> None:
        """Four ports: AMQP, management, Erlang's distribution, epmd. `settings`: lines of rabbitmq.conf; like
        `schedulers`, which are Erlang's, they may be changed between two starts.

        A quorum queue counts its messages every tick, and the management API shows what it sampled last: both each 5 s,
        or each `counting_s`.
        """
        super().__init__(folder=folder, ports=ports, remedy=remedy)
        self.port, self.management_port, self._distribution_port, self._epmd_port = self.ports
        self._password = password
        self._counting = _counting(counting_s) if counting_s is not None else ""
        self.schedulers = IDLE_SCHEDULERS
        self.settings = dict(settings or {})

    @property
    def url(self) -> str:
        return f"amqp://{USER}:{self._password}@{LOOPBACK}:{self.port}/{VIRTUAL_HOST}"

    @property
    def management_url(self) -> str:
        return f"http://{USER}:{self._password}@{LOOPBACK}:{self.management_port}"

    def prepare(self) -> list[str]:
        script = binaries.rabbitmq_server()
        (self.folder / "enabled_plugins").write_text("[rabbitmq_management].\n")
        (self.folder / "rabbitmq-env.conf").write_text("")
        settings = {
            "listeners.tcp.1": f"{LOOPBACK}:{self.port}",
            "management.tcp.ip": LOOPBACK,
            "management.tcp.port": str(self.management_port),
            "default_vhost": VIRTUAL_HOST,
            "default_user": USER,
            "default_pass": self._password,
            **self.settings,
        }
        configuration = self.folder / "rabbitmq.conf"
        configuration.touch(mode=0o600)
        configuration.write_text("".join(f"{name} = {value}\n" for name, value in settings.items()))
        return [str(script)]

    def environment(self) -> dict[str, str]:
        return super().environment() | {
            "RABBITMQ_NODENAME": NODE,
            "RABBITMQ_USE_LONGNAME": "true",
            "RABBITMQ_NODE_IP_ADDRESS": LOOPBACK,
            "RABBITMQ_NODE_PORT": str(self.port),
            "RABBITMQ_DIST_PORT": str(self._distribution_port),
            "ERL_EPMD_PORT": str(self._epmd_port),
            "ERL_EPMD_ADDRESS": LOOPBACK,
            "RABBITMQ_MNESIA_BASE": str(self.folder / "data"),
            "RABBITMQ_LOG_BASE": str(self.folder),
            "RABBITMQ_LOGS": "-",
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self.folder / "enabled_plugins"),
            "RABBITMQ_CONFIG_FILE": str(self.folder / "rabbitmq.conf"),
            "RABBITMQ_CONF_ENV_FILE": str(self.folder / "rabbitmq-env.conf"),
            "RABBITMQ_PID_FILE": str(self.folder / "pid"),
            "RABBITMQ_GENERATED_CONFIG_DIR": str(self.folder / "config"),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": f"{self.schedulers} {LOOPBACK_ONLY} {self._counting}",
        }

    def answers(self) -> bool:
        return self._management_answers() and self._broker_answers()

    def _management_answers(self) -> bool:
        connection = http.client.HTTPConnection(LOOPBACK, self.management_port, timeout=2)
        who = b64encode(f"{USER}:{self._password}".encode()).decode()
        try:
            connection.request("GET", "/api/overview", headers={"Authorization": f"Basic {who}"})
            return connection.getresponse().status == http.client.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def _broker_answers(self) -> bool:
        connection = amqp.Connection(
            host=f"{LOOPBACK}:{self.port}",
            userid=USER,
            password=self._password,
            virtual_host=VIRTUAL_HOST,
            connect_timeout=2,
            read_timeout=2,
        )
        try:
            connection.connect()
        except (OSError, amqp.AMQPError):
            return False
        connection.close()
        return True


def _counting(seconds: int) -> str:
    """Erlang's arguments. `collect_statistics_interval` changes nothing of a quorum queue's counts: the plugin samples
    them as often as the finest figures that it is to keep."""
    kept = ",".join(f"{{{what},[{{605,{seconds}}}]}}" for what in ("global", "basic", "detailed"))
    policies = f"-rabbitmq_management_agent sample_retention_policies [{kept}]"
    return f"-rabbit quorum_tick_interval {seconds * 1000} {policies}"
