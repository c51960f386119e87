"""The broker's users: one for each part, with what that part needs, and nothing else. Written down here alone.

Who configures nothing declares nothing: whoever runs `manage.py broker_setup` owns exchanges and queues.
"""

import re
from dataclasses import dataclass
from types import MappingProxyType

from ventas import topology

NOTHING = "^$"
# What Celery's workers make for themselves: commands to them, their answers, their heartbeats.
CONTROL = r"(.+\.)?celery\.pidbox|celeryev(\..+)?"


@dataclass(frozen=True, slots=True)
class Permissions:
    """RabbitMQ's own: patterns of the names that a user may make or delete, put into, take from.

    `sends`: the only routing keys with which it may put something on the exchange of sales. `tag`: what it may ask of
    the management API; management shows its own virtual host, monitoring every figure of the broker.
    """

    configure: str = NOTHING
    write: str = NOTHING
    read: str = NOTHING
    sends: str = NOTHING
    tag: str = ""


def _only(*names: str, also: str = "") -> str:
    return f"^({'|'.join([re.escape(name) for name in names] + ([also] if also else []))})$"


_SALES = topology.SALES_EXCHANGE.name
_MAINTENANCE = topology.MAINTENANCE_QUEUE.exchange.name

PARTS = MappingProxyType(
    {
        "web": Permissions(write=_only(_SALES), sends=_only(topology.SALES_CREATED)),
        "worker": Permissions(
            configure=_only(also=CONTROL),
            write=_only(_SALES, also=CONTROL),
            read=_only(topology.SALES_QUEUE.name, also=CONTROL),
            sends=_only(topology.SALES_CREATED, topology.SALES_FAILED),  # a retry; one that failed for good
        ),
        "maintenance": Permissions(
            configure=_only(also=CONTROL),
            write=_only(_SALES, _MAINTENANCE, also=CONTROL),
            read=_only(topology.MAINTENANCE_QUEUE.name, topology.FAILED_QUEUE.name, also=CONTROL),
            sends=_only(topology.SALES_CREATED),  # the sweep's
            tag="management",  # a cold start counts what is unacknowledged
        ),
        "beat": Permissions(write=_only(_MAINTENANCE)),
        "exporter": Permissions(tag="monitoring"),
    }
)


def user_name(part: str, *, prefix: str) -> str:
    """What the part's user is called: blend_web."""
    return f"{prefix}_{part}"


def control_lines(*, vhost: str, prefix: str) -> list[str]:
    """The same as shell lines for the broker's own machine; each add_user asks for the password."""
    lines = []
    for part, may in PARTS.items():
        name = user_name(part, prefix=prefix)
        lines += [
            f"rabbitmqctl add_user {name}",
            f"rabbitmqctl set_user_tags {name} {may.tag}".rstrip(),
            f"rabbitmqctl set_permissions -p {vhost} {name} '{may.configure}' '{may.write}' '{may.read}'",
            f"rabbitmqctl set_topic_permissions -p {vhost} {name} {_SALES} '{may.sends}' '{NOTHING}'",
        ]
    return lines
