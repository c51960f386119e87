"""RabbitMQ: the queues keep what they take, refuse what is too much, and somebody takes from them."""

from collections.abc import Collection, Mapping
from contextlib import suppress
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from kombu import Queue, binding

from ventas import broker, topology
from ventas.golive.findings import Asked, Check, Finding, Part, failed, passed

MOST_WAITING = 100
# What a policy may say as well: what a queue keeps, for how long, and where the rest goes.
KEEPING = {
    "max-length", "max-length-bytes", "overflow", "message-ttl", "expires", "delivery-limit",
    "dead-letter-exchange", "dead-letter-routing-key", "dead-letter-strategy",
}  # fmt: skip


def part() -> Part:
    """Its lines."""
    return Part(
        "RabbitMQ",
        (
            Check("rabbitmq.sales_queue", gettext_lazy("La cola de ventas, como se declara"), sales_queue),
            Check("rabbitmq.failed_queue", gettext_lazy("La cola de fallidas, como se declara"), failed_queue),
            Check("rabbitmq.maintenance_queue", gettext_lazy("La cola de mantenimiento"), maintenance_queue),
            Check("rabbitmq.workers", gettext_lazy("Workers conectados"), workers),
            Check("rabbitmq.maintenance", gettext_lazy("Mantenimiento conectado"), maintenance),
            Check("rabbitmq.depth", gettext_lazy("Mensajes en la cola de ventas"), depth),
        ),
        gettext_lazy(
            "¿Corre RabbitMQ, son ciertos RABBITMQ_URL y RABBITMQ_MANAGEMENT_URL, y puede ese usuario preguntar a la "
            "API de gestión (etiqueta management)? docs/operations.md, «503 cola_no_disponible»."
        ),
    )


def sales_queue(asked: Asked) -> Finding:
    """On disk, on a majority of nodes, with a limit that refuses and somewhere for what cannot be delivered."""
    return _as_declared(topology.SALES_QUEUE)


def failed_queue(asked: Asked) -> Finding:
    """Where that goes. It is declared with the first sale; here, where none was sold yet."""
    with suppress(broker.BrokerAway):
        broker.ready_sales_messages()
    return _as_declared(topology.FAILED_QUEUE)


def maintenance_queue(asked: Asked) -> Finding:
    """Of warmups, sweeps and cold starts."""
    return _as_declared(topology.MAINTENANCE_QUEUE)


def workers(asked: Asked) -> Finding:
    """As many as were told: each is one consumer, whatever number of processes it has."""
    todo = _("Arranca más (blend-worker, --scale worker=3), o di cuántos van a ser: --workers, SALES_WORKERS_MIN.")
    return _consumers(topology.SALES_QUEUE, asked.workers, todo)


def maintenance(asked: Asked) -> Finding:
    """At least one."""
    return _consumers(topology.MAINTENANCE_QUEUE, 1, _("Arranca mantenimiento: sin él nada se rearma ni se calienta."))


def depth(asked: Asked) -> Finding:
    """What waits there, as the broker itself says."""
    _require_rabbitmq()
    waiting = broker.depth_of(topology.SALES_QUEUE.name).messages
    seen = _("%(n)d, menos de %(maximo)d") % {"n": waiting, "maximo": MOST_WAITING}
    if waiting < MOST_WAITING:
        return passed(seen)
    return failed(
        _("%(n)d: no son menos de %(maximo)d") % {"n": waiting, "maximo": MOST_WAITING},
        _("Faltan workers, o PostgreSQL va lento: docs/operations.md, «La cola es larga»."),
    )


def _require_rabbitmq() -> None:
    """Raises BrokerAway where it is Redis that carries the sales: it has no queue that could be looked at."""
    if not settings.RABBITMQ_URL.startswith("amqp"):
        raise broker.BrokerAway(_("RABBITMQ_URL no nombra un RabbitMQ"))


def _as_declared(queue: Queue) -> Finding:
    _require_rabbitmq()
    state = broker.managed(queue.name)
    found = [
        (differences(queue=queue, state=state), _as_made()),
        (overruled(queue=queue, state=state), _without(state)),
        (unbound(queue=queue, bindings=broker.bindings_of(queue.name)), _("manage.py broker_setup enlaza otra vez.")),
    ]
    seen = [text for texts, _todo in found for text in texts]
    if not seen:
        return passed(_("%(cola)s: duradera, con todo lo suyo") % {"cola": queue.name})
    todo = " ".join(todo for texts, todo in found if texts)
    return failed(f"{queue.name}: {'; '.join(seen)}", todo % {"cola": queue.name})


def _as_made() -> str:
    return _(
        "Una cola se queda como se hizo: espera a que esté vacía, bórrala (rabbitmqctl delete_queue %(cola)s) y "
        "declárala otra vez: manage.py broker_setup, o arranca un worker."
    )


def _without(state: Mapping[str, Any]) -> str:
    """How to take off the policies that concern a queue."""
    return _("Quita o estrecha la política (%(cuales)s): rabbitmqctl clear_policy, clear_operator_policy.") % {
        "cuales": ", ".join(str(state[kind]) for kind in ("policy", "operator_policy") if state.get(kind)) or "?"
    }


def differences(*, queue: Queue, state: Mapping[str, Any]) -> list[str]:
    """What the management API says of a queue (`state`) that ventas.topology does not."""
    has = {"durable": state.get("durable"), **state.get("arguments", {})}
    wanted = {"durable": True, **(queue.queue_arguments or {})}
    usual = {"x-queue-type"} - wanted.keys()  # that of its virtual host
    others = [
        _("%(que)s es %(tiene)s, no %(debe)s") % {"que": name, "tiene": has.get(name), "debe": value}
        for name, value in wanted.items()
        if has.get(name) != value
    ]
    return others + [
        _("sobra %(que)s, que es %(tiene)s") % {"que": name, "tiene": has[name]}
        for name in sorted(has.keys() - wanted.keys() - usual)
    ]


def overruled(*, queue: Queue, state: Mapping[str, Any]) -> list[str]:
    """What policies put on top of it."""
    policy: Mapping[str, Any] = state.get("effective_policy_definition") or {}  # Erlang writes an empty one as []
    wanted = queue.queue_arguments or {}
    return [
        _("una política pone %(que)s en %(tiene)s") % {"que": name, "tiene": policy[name]}
        for name in sorted(KEEPING & policy.keys())
        if wanted.get(f"x-{name}") != policy[name]
    ]


def unbound(*, queue: Queue, bindings: Collection[tuple[str, str]]) -> list[str]:
    """What should be routed to it and is not."""
    own = queue.bindings or {binding(queue.exchange, routing_key=queue.routing_key)}
    return [
        _("no le llega %(clave)s de %(exchange)s") % {"clave": key, "exchange": exchange}
        for exchange, key in sorted((each.exchange.name, each.routing_key) for each in own if each.exchange)
        if (exchange, key) not in bindings
    ]


def _consumers(queue: Queue, least: int, todo: str) -> Finding:
    _require_rabbitmq()
    found = broker.depth_of(queue.name).consumers
    seen = _("%(n)d de %(hacen_falta)d") % {"n": found, "hacen_falta": least}
    return passed(seen) if found >= least else failed(seen, todo)
