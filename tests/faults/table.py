"""The matrix: each fault, the points at which it means something, and how often it is injected in which run.

`smoke` is what `make test` does; the other sizes are `make faults FAULTS=test`, `make faults` and FAULTS=long.
"""

from tests.faults.healing import ARMED, CONSUMES, NO_ORPHANS, REDELIVERED
from tests.faults.matrix import Row
from tests.faults.rows import broker, postgres, redis, traffic, web, worker
from tests.faults.rows.combined import combined
from tests.faults.rows.overload import overload

SALE = ("P1", "P2", "P3", "P4")
WORK = ("P5", "P6", "P7", "P8")
COLD = ("P9", "P10")
ALL = ("all",)

# name, points, injections in `test`, `faults` and `long`
ROWS = (
    Row("web-kill", (*SALE, *COLD), 6, 60, 3_000, web.web_kill, smoke=1, heals=NO_ORPHANS),
    Row("web-freeze", ("P2", "P3", "P4", "P10"), 4, 40, 3_000, web.web_freeze),
    Row("worker-kill", WORK, 4, 80, 3_000, worker.worker_kill, smoke=1, heals=REDELIVERED),
    Row("worker-freeze", ("P6", "P7", "P8"), 1, 10, 300, worker.worker_freeze),
    Row("poison-worker", ("P6",), 1, 10, 300, worker.poison_worker),
    Row("duplicates", ALL, 500, 5_000, 100_000, traffic.duplicates, smoke=5, at_once=100),
    Row("rabbitmq-restart", (*SALE[1:], *WORK), 2, 40, 1_000, broker.rabbitmq_restart, smoke=1, heals=CONSUMES),
    Row("rabbitmq-frozen", ("P2", "P3", "P4"), 3, 30, 1_000, broker.rabbitmq_frozen),
    Row("queue-full", ("P3", "retries"), 2, 30, 1_000, broker.queue_full),
    Row("redis-restart", (*SALE, *WORK, *COLD), 3, 60, 1_000, redis.redis_restart, heals=ARMED),
    Row("redis-failback", (*SALE, *WORK, *COLD), 1, 20, 1_000, redis.redis_failback, heals=ARMED, two_masters=True),
    Row("two-beats", ("P10",), 3, 60, 3_000, worker.two_beats, heals=ARMED),
    Row("reply-lost", (*SALE, *WORK), 6, 60, 3_000, redis.reply_lost, smoke=1),
    Row("hash-lost", (*SALE, *WORK), 2, 20, 1_000, redis.hash_lost, heals=ARMED),
    Row("key-after-loss", ALL, 4, 40, 1_000, traffic.key_after_loss),
    Row("redis-tail", (*SALE[1:], *WORK, *COLD), 3, 60, 3_000, redis.redis_tail, smoke=1, heals=ARMED),
    Row("redis-full", ALL, 2, 20, 1_000, redis.redis_full),
    Row("postgres-restart", ("P6", "P7", *COLD), 3, 40, 1_000, postgres.postgres_restart, smoke=1, heals=REDELIVERED),
    Row("network", (*SALE, *WORK), 6, 60, 3_000, traffic.network),
    Row("poison-body", ("P5",), 200, 5_000, 100_000, traffic.poison_body, smoke=2, at_once=100),
    Row("combined", ALL, 5, 60, 1_000, combined, heals=ARMED),
    Row("overload", ALL, 1, 1, 12, overload),
)
