"""Rules of the worker, and of what it writes with."""

from tests.mutants.mutant import of

PERSISTENCE = "ventas/persistence.py"
ROWS = "ventas/rows.py"
LOCKS = "blend_pos/tiendas/locks.py"
BATCHES = "ventas/batches.py"
TASKS = "ventas/tasks.py"
LINK = ("tests/ventas/test_publisher.py",)
JUDGED = ("tests/ventas/test_judge.py",)
BATCHED = ("tests/ventas/test_batches.py",)
GATHERED = ("tests/ventas/test_gathered.py",)
COPIES = ("tests/ventas/test_late_copies.py",)
DECIDED = ("tests/ventas/test_failed_sales.py",)

MUTANTS = [
    *of(
        "ventas/gathered.py",
        ("a call of several has headers of its own", "headers=headers,", "headers=first.headers,", GATHERED),
        ("nobody waits for what cannot come", " or 0 < self._most <= here", "", GATHERED),
        ("what comes again is not put together", "return not again and not", "return not", GATHERED),
        ("what is tried again is not put together", 'not headers.get("retries") and', "", GATHERED),
        ("what waits goes with its connection", "        self._waiting.clear()\n", "        pass\n", GATHERED),
        (
            "each message is acknowledged",
            "for part in self.parts], logger, errors)",
            "for part in self.parts[:1]], logger, errors)",
            GATHERED,
        ),
    ),
    *of(
        PERSISTENCE,
        ("of two copies the newest epoch counts", "sale.venta_id, -sale.epoch)", "sale.venta_id, sale.epoch)", JUDGED),
        ("another cart under a written key is no silent nothing", "if taken[key] == sale.huella:", "if True:", JUDGED),
        ("a tombstone is not written", "elif (key, sale.huella) in tombstones:", "elif False:", JUDGED),
        (
            "who was overtaken is judged anew",
            "    if len(ids) != len(verdict.fresh):\n        raise WrittenMeanwhile\n",
            "",
            BATCHED,
        ),
        (
            "a failed sale that is written is closed",
            "    resolve_failed([sale for sale in verdict.fresh if sale_key(sale) in failed_before], now)\n",
            "",
            COPIES,
        ),
        (
            "a written copy is settled with its balances",
            "    if others:\n",
            "    if False:\n",
            COPIES,
        ),
        (
            "a failed message of an older epoch holds nothing",
            "con_reserva=epochs[sale.tienda_id] == sale.epoch",
            "con_reserva=True",
            COPIES,
        ),
        (
            "a failed sale's hold leaves the sweep",
            "        if motivo is not MotivoFalla.EPOCA:\n            reservation.keep_failed",
            "        if False:\n            reservation.keep_failed",
            COPIES + DECIDED,
        ),
        (
            "all of it or nothing",
            "    with transaction.atomic():\n        return _write(sales, now)",
            "    return _write(sales, now)",
            BATCHED,
        ),
    ),
    *of(
        ROWS,
        ("a venta is inserted once", "ON CONFLICT (tienda_id, venta_id) DO NOTHING\n", "", BATCHED),
        ("receipts wait for their terminal", " FOR NO KEY UPDATE", "", BATCHED),
        (
            "a tombstone stays one",
            "CASE WHEN old.estado = 'DESCARTADA' OR old.estado = 'ABIERTA' AND old.motivo = 'LAPIDA' THEN 'LAPIDA'\n            ELSE excluded.motivo END",
            "excluded.motivo",
            COPIES,
        ),
        (
            "a discarded sale holds nothing",
            "CASE WHEN old.estado = 'DESCARTADA' OR old.estado = 'ABIERTA' AND old.motivo = 'LAPIDA' THEN false\n            ELSE excluded.con_reserva OR old.con_reserva AND old.estado IN ('ABIERTA', 'REINTENTADA') END",
            "excluded.con_reserva OR old.con_reserva AND old.estado IN ('ABIERTA', 'REINTENTADA')",
            COPIES,
        ),
        (
            "a failed sale's hold stays known",
            "excluded.con_reserva OR old.con_reserva AND old.estado IN ('ABIERTA', 'REINTENTADA') END",
            "excluded.con_reserva END",
            COPIES,
        ),
        (
            "discarded is what the worker looks for",
            "estado = 'DESCARTADA' OR estado = 'ABIERTA' AND motivo = 'LAPIDA'",
            "false",
            COPIES,
        ),
    ),
    *of(
        LOCKS,
        (
            "who writes sales holds off a cold start",
            "        cursor.execute(SHARE, [names])\n",
            "        pass\n",
            (*DECIDED, "tests/ventas/test_cold_start.py"),
        ),
        (
            "a cold start is the only writer",
            "        cursor.execute(OWN, [str(tienda_id)])\n",
            "        pass\n",
            (*DECIDED, "tests/ventas/test_cold_start.py"),
        ),
    ),
    *of(
        "inventario/ledger.py",
        (
            "rows are locked before they are read",
            " FOR NO KEY UPDATE",
            "",
            ("tests/inventario/test_ledger.py", "tests/ventas/test_batches.py"),
        ),
        (
            "each movement raises the version",
            "        there.version += 1\n",
            "",
            ("tests/inventario/test_ledger.py",),
        ),
    ),
    *of(
        BATCHES,
        ("a bad sale stands alone", "if len(sales) == 1:", "if True:", BATCHED),
        (
            "PostgreSQL away is no attempt",
            "except (OperationalError, InterfaceError, InternalError) as error:",
            "except ZeroDivisionError as error:",
            BATCHED,
        ),
        (
            "written and not settled is written",
            "    except StockError as error:\n        # It is",
            "    except ZeroDivisionError as error:\n        # It is",
            BATCHED,
        ),
    ),
    *of(
        TASKS,
        ("what comes again is written one by one", "if again and len(sales) > 1:", "if False:", BATCHED),
        (
            "three attempts",
            "while attempt < settings.SALE_ATTEMPTS:",
            "while attempt < settings.SALE_ATTEMPTS + 1:",
            BATCHED,
        ),
        (
            "acknowledged only once it is on its way",
            "if _link.send(message, deadline=time.monotonic() + PUBLISH_AGAIN_S) is Outcome.CONFIRMED:",
            "if _link.send(message, deadline=time.monotonic() + PUBLISH_AGAIN_S):",
            BATCHED,
        ),
        (
            "the last attempt leaves a VentaFallida",
            "if _link.send(message, deadline=time.monotonic() + PUBLISH_AGAIN_S) is not Outcome.CONFIRMED:",
            "if False:",
            BATCHED,
        ),
        ("StillAway gives the message back", "requeue=True", "requeue=False", BATCHED),
    ),
    *of(
        "blend_pos/settings.py",
        (
            "acknowledged late",
            "CELERY_TASK_ACKS_LATE = True",
            "CELERY_TASK_ACKS_LATE = False",
            ("tests/pipeline/test_killed_workers.py",),
        ),
        (
            "a killed worker's message comes again",
            "CELERY_TASK_REJECT_ON_WORKER_LOST = True",
            "CELERY_TASK_REJECT_ON_WORKER_LOST = False",
            ("tests/pipeline/test_killed_workers.py", "tests/pipeline/test_poison.py"),
        ),
    ),
    *of(
        "ventas/consumer.py",
        (
            "what is not signed is rejected",
            'if not signatures.is_signed(message.body or b"", headers.get(signatures.HEADER), task=task):',
            "if False:",
            ("tests/pipeline/test_forged.py",),
        ),
        (
            "Celery sees known headers only",
            "headers = envelopes.known_headers(message.headers)",
            "headers = message.headers",
            ("tests/pipeline/test_hostile_messages.py",),
        ),
        (
            "what is not written as ours are is rejected",
            "if (message.content_type, message.content_encoding) != envelopes.WRITTEN_IN:",
            "if False:",
            ("tests/pipeline/test_hostile_messages.py",),
        ),
        (
            "what cannot be decoded is kept",
            "        message.reject_log_error(logger, self.errors)",
            "        message.ack_log_error(logger, self.errors)",
            ("tests/pipeline/test_unreadable.py",),
        ),
    ),
    *of(
        "ventas/topology.py",
        ("a full queue refuses", '        "x-overflow": "reject-publish",\n', "", LINK),
        (
            "what is rejected is dead-lettered",
            '        "x-dead-letter-exchange": DEAD_LETTER_EXCHANGE.name,\n        "x-dead-letter-routing-key": SALES_FAILED,\n        "x-dead-letter-strategy": "at-least-once",\n',
            "",
            ("tests/pipeline/test_unreadable.py",),
        ),
    ),
]
