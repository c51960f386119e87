"""What each setting is worth: the same load on the product as it ships, and with one thing changed, in turn."""

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from statistics import median
from typing import Any

from redis import Redis

from bench.baskets import SCENARIOS
from bench.load import closed
from bench.rounds import VARIANTS, Round, measure
from bench.stand import CORES, WORKER_PROCESSES, Stand
from bench.stats import ratio
from scripts import processes
from scripts.rabbit_server import IDLE_SCHEDULERS
from scripts.replay.stack import WORKER_READY

CONNECTIONS = 100
WARM_S = 2
BEFORE_AND_AFTER = ("appendonly", "appendfsync")
PARTS = ("web", "worker", "PostgreSQL", "Redis", "RabbitMQ")
TITLES = (
    f"{'setting':<38} {'accepted/s':>10} {'of what ships':>16} {'persisted/s':>11} {'':>16} {'p95 ms':>7} "
    f"{'web ms':>7} {'worker ms':>9} {'PostgreSQL ms':>13} {'Redis ms':>8} {'RabbitMQ ms':>11}"
)


@dataclass(frozen=True, slots=True)
class Setting:
    """One thing changed. `web` and `worker`: arguments of their command lines; `environment` of both, `for_worker`
    of that alone; `redis`: its configuration meanwhile; `rabbit`: lines of rabbitmq.conf; `schedulers`: how
    its Erlang waits."""

    name: str
    web: Mapping[str, Any] = field(default_factory=dict)
    worker: Mapping[str, Any] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    for_worker: Mapping[str, str] = field(default_factory=dict)
    redis: Mapping[str, str] = field(default_factory=dict)
    rabbit: Mapping[str, str] = field(default_factory=dict)
    schedulers: str = IDLE_SCHEDULERS

    @property
    def of_the_broker(self) -> bool:
        """Whether RabbitMQ has to be started anew for it."""
        return bool(self.rabbit) or self.schedulers != IDLE_SCHEDULERS


AS_SHIPPED = "as it ships"
ERLANGS_OWN = "+sbwt medium +sbwtdcpu short +sbwtdio short"
THE_SPECIFICATIONS = {"vm_memory_high_watermark.relative": "0.7", "disk_free_limit.absolute": "2GB"}
SETTINGS = (
    Setting(AS_SHIPPED),
    Setting("web: 1 process", web={"workers": 1}),
    Setting("web: 2 processes a core, 16 threads", web={"workers": 2 * CORES, "blocking_threads": 16}),
    Setting("web: 8 threads", web={"blocking_threads": 8}),
    Setting("web: 64 threads", web={"blocking_threads": 64}),
    Setting("worker: a process a core", worker={"concurrency": CORES}),
    Setting("worker: 2 processes a core", worker={"concurrency": 2 * CORES}),
    Setting("worker: prefetch 1", worker={"prefetch": 1}),
    Setting("worker: prefetch 128", worker={"prefetch": 128}),
    Setting("PostgreSQL: a connection a call", environment={"DATABASE_CONN_MAX_AGE_S": "0"}),
    Setting("worker: a pool of connections", for_worker={"DJANGO_SETTINGS_MODULE": "bench.pooled"}),
    Setting("logs: warnings only", environment={"LOG_LEVEL": "WARNING"}),
    Setting("Redis: appendfsync always", redis={"appendfsync": "always"}),
    Setting("Redis: appendonly no", redis={"appendonly": "no"}),
    Setting("RabbitMQ: the specification's limits", rabbit=THE_SPECIFICATIONS),
    Setting("RabbitMQ: its waiting threads spin", schedulers=ERLANGS_OWN),
    Setting("RabbitMQ: no statistics", rabbit={"management_agent.disable_metrics_collector": "true"}),
)
BROKER_LINES = {line for setting in SETTINGS for line in setting.rabbit}


def tune(stand: Stand, *, rounds: int, seconds: int, seed: int) -> dict[str, list[Round]]:
    """Rounds of each setting, their order shuffled; what ships runs again afterwards."""
    shop = stand.open_shop(SCENARIOS["basket"], seed=seed)
    found: dict[str, list[Round]] = {setting.name: [] for setting in SETTINGS}
    order = random.Random(seed)
    load = partial(closed, connections=CONNECTIONS)
    for number in range(1, rounds + 1):
        for setting in order.sample(SETTINGS, len(SETTINGS)):
            with _applied(stand, setting):
                take = partial(measure, stand=stand, variant=VARIANTS["checkout"], shop=shop)
                take(load=load(seconds=WARM_S, seed=seed))
                found[setting.name].append(take(load=load(seconds=seconds, seed=seed + number)))
    return found


@contextmanager
def _applied(stand: Stand, setting: Setting) -> Iterator[None]:
    if setting.of_the_broker:
        _restart_broker(stand, setting)
    _start(stand, setting)
    client = Redis.from_url(stand.settings["REDIS_URL"])
    before: dict[str, Any] = {name: client.config_get(name)[name] for name in BEFORE_AND_AFTER}
    try:
        for name, value in setting.redis.items():
            client.config_set(name, value)
        yield
    finally:
        for name, value in before.items():
            client.config_set(name, value)
        client.close()
        if setting.of_the_broker:
            _restart_broker(stand, Setting(AS_SHIPPED))
        _start(stand, Setting(AS_SHIPPED))


def _restart_broker(stand: Stand, setting: Setting) -> None:
    """RabbitMQ anew, as the setting says; who is connected comes back by itself. Raises ServiceError."""
    rabbit = stand.services.rabbit
    rabbit.stop()
    ours = {name: value for name, value in rabbit.settings.items() if name not in BROKER_LINES}
    rabbit.settings = {**ours, **setting.rabbit}
    rabbit.schedulers = setting.schedulers
    rabbit.start()


def _start(stand: Stand, setting: Setting) -> None:
    """Web and worker anew, as the setting says. Raises NotReady."""
    for name in ("web", "worker"):
        if name in stand.running:
            stand.stop(name)
    web: dict[str, Any] = {"workers": CORES, **setting.web}
    stand.start("web", processes.web(port=stand.web_port, **web), setting.environment)
    worker: dict[str, Any] = {"concurrency": WORKER_PROCESSES, **setting.worker}
    stand.start("worker", processes.worker(**worker), {**setting.environment, **setting.for_worker})
    stand.wait_for_log("worker", WORKER_READY)
    stand.wait_for_port("web", stand.web_port)


def table(found: Mapping[str, Sequence[Round]]) -> str:
    """A line a setting: medians, and accepted and persisted as a share of what ships, round by round, with the lowest
    and the highest of it."""
    base = found[AS_SHIPPED]
    lines = [TITLES]
    for name, rounds in found.items():
        accepted, persisted = (_median(rounds, value) for value in (_accepted, _persisted))
        spent = [median(one.cpu_ms[part] for one in rounds) for part in PARTS]
        lines.append(
            f"{name:<38} {accepted:>10.0f} {_share(rounds, base, _accepted):>16} {persisted:>11.0f} "
            f"{_share(rounds, base, _persisted):>16} {median(one.load.p95_ms for one in rounds):>7.0f} "
            f"{spent[0]:>7.2f} {spent[1]:>9.2f} {spent[2]:>13.2f} {spent[3]:>8.2f} {spent[4]:>11.2f}"
        )
    return "\n".join(lines)


def _share(rounds: Sequence[Round], base: Sequence[Round], value: Callable[[Round], float]) -> str:
    found = ratio([value(one) for one in rounds], [value(one) for one in base])
    return f"{found.median:.0%} ({found.low:.0%}–{found.high:.0%})"


def _accepted(one: Round) -> float:
    return one.load.accepted_a_second


def _persisted(one: Round) -> float:
    return one.persisted_a_second


def _median(rounds: Sequence[Round], value: Callable[[Round], float]) -> float:
    return median(value(one) for one in rounds)
