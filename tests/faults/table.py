"""The matrix: each fault, the points at which it means something, and how often it is injected in which run.

`smoke` is what `make test` does; the other sizes are `make faults FAULTS=test`, `make faults` and FAULTS=long.
"""

from tests.faults import rows
from tests.faults.matrix import Row

SALE = ("P1", "P2", "P3", "P4")
WORK = ("P5", "P6", "P7", "P8")

ROWS = (
    Row("web-kill", (*SALE, "P9", "P10"), 6, 60, 3_000, rows.web_kill, smoke=1),
    Row("web-freeze", ("P2", "P3", "P4", "P10"), 4, 40, 3_000, rows.web_freeze),
    Row("worker-kill", WORK, 4, 80, 3_000, rows.worker_kill, smoke=1),
    Row("worker-freeze", ("P6", "P7", "P8"), 1, 10, 300, rows.worker_freeze),
    Row("poison-worker", ("P6",), 1, 10, 300, rows.poison_worker),
    Row("duplicates", ("all",), 500, 5_000, 100_000, rows.duplicates, smoke=5, at_once=25),
    Row("rabbitmq-restart", (*SALE[1:], *WORK), 2, 40, 1_000, rows.rabbitmq_restart, smoke=1),
    Row("rabbitmq-frozen", ("P2", "P3", "P4"), 3, 30, 1_000, rows.rabbitmq_frozen),
    Row("queue-full", ("P3",), 2, 30, 1_000, rows.queue_full),
    Row("redis-restart", (*SALE, *WORK, "P9", "P10"), 3, 60, 1_000, rows.redis_restart),
    Row("two-beats", ("P10",), 3, 60, 3_000, rows.two_beats),
    Row("reply-lost", (*SALE, *WORK), 6, 60, 3_000, rows.reply_lost, smoke=1),
    Row("hash-lost", (*SALE, *WORK), 2, 20, 1_000, rows.hash_lost),
    Row("key-after-loss", ("all",), 4, 40, 1_000, rows.key_after_loss),
    Row("redis-tail", (*SALE[1:], *WORK, "P9", "P10"), 3, 60, 3_000, rows.redis_tail, smoke=1),
    Row("redis-full", ("all",), 2, 20, 1_000, rows.redis_full),
    Row("postgres-restart", ("P6", "P7", "P9", "P10"), 3, 40, 1_000, rows.postgres_restart, smoke=1),
    Row("network", (*SALE, *WORK), 6, 60, 3_000, rows.network),
    Row("poison-body", ("P5",), 200, 5_000, 100_000, rows.poison_body, smoke=1, at_once=25),
)
