"""Rules of the cold start, the sweep, failed sales and adjustments."""

from tests.mutants.mutant import of

ARMING = "cache_stock/arming.py"
WARMUP = "cache_stock/warmup.py"
COLD_START = "ventas/cold_start.py"
RECOVERY = "ventas/recovery.py"
FAILED = "ventas/failed_sales.py"
INTAKE = "cache_stock/intake.py"
COPIES = ("tests/ventas/test_late_copies.py",)
DECIDED = ("tests/ventas/test_failed_sales.py",)
ARMED = ("tests/cache_stock/test_arming.py",)
WARMED = ("tests/cache_stock/test_warmup.py",)
SWEPT = ("tests/ventas/test_sweep.py",)
DRAINED = ("tests/ventas/test_cold_start.py",)
MOVED = ("tests/cache_stock/test_intake.py",)

MUTANTS = [
    *of(
        ARMING,
        (
            "the epoch goes up by compare-and-set",
            "Tienda.objects.filter(id=tienda_id, epoch=seen_epoch)",
            "Tienda.objects.filter(id=tienda_id)",
            ARMED,
        ),
        (
            "a claim is renewed, or nothing is raised",
            "    if again != claimed:\n        raise LeftToAnother\n",
            "",
            ARMED,
        ),
        ("the journal of before is cleared", "        _clear(claim)\n", "", ARMED),
        ("failed sales are held again", "        _hold_again(claim, truth, now_ms)\n", "", ARMED),
        ("answers are known again", "        _remember(claim.tienda_id, answers(claim.tienda_id))\n", "", ARMED),
        (
            "a cold start leaves no cursor to the garbage collector",
            "            remaining.close()\n",
            "            pass\n",
            ("tests/ventas/test_failed_sales.py",),
        ),
        (
            "what changed meanwhile is carried",
            "    _carry_the_rest(claim.tienda_id, truth.settled, now_ms)\n",
            "",
            ARMED,
        ),
        ("failed holds are read in that transaction", "list(failed_holds(tienda_id)))", "[])", ARMED),
        ("a cold start does not rest", "rests=False", "rests=True", WARMED),
    ),
    *of(
        WARMUP,
        ("nothing rests after a flush", "not hurry and _is_warm(tienda_id)", "not hurry", WARMED),
        ("nothing rests in a hurry", "not hurry and _is_warm(tienda_id)", "_is_warm(tienda_id)", WARMED),
    ),
    *of(
        COLD_START,
        (
            "counted zero twice, an interval apart",
            (
                "        elif empty_since is None:\n            empty_since = now\n"
                "        elif now - empty_since >= settings.STATISTICS_INTERVAL_MS / 1000:\n"
            ),
            "        else:\n",
            DRAINED,
        ),
        ("zero has to last", "            empty_since = None\n", "            pass\n", DRAINED),
        ("a drain archives", "        recovery.archive_failed(now=datetime.now(UTC))\n", "", DRAINED),
        (
            "a drain keeps its claims",
            "            arming.claim(tienda_id=claim.tienda_id, token=claim.token, now_ms=_now_ms(), lease_ms=LEASE_MS)\n        time.sleep",
            "            pass\n        time.sleep",
            DRAINED,
        ),
        (
            "a drain waits",
            "if broker.unfinished_messages() > 0:",
            "if False:",
            (*DRAINED, "tests/pipeline/test_redis_lost.py"),
        ),
        (
            "others stop where they keep the queue from emptying",
            "            claims += _stop_the_others(token)\n",
            "            pass\n",
            ("tests/pipeline/test_redis_lost.py",),
        ),
        (
            "nobody stops while the workers are behind",
            "if broker.unfinished_messages() <= KEEPING_UP_MESSAGES:",
            "if True:",
            ("tests/pipeline/test_redis_lost.py",),
        ),
        (
            "what is armed meanwhile stays armed",
            (
                "    armed = journal.armed_histories(tiendas=tiendas)\n"
                "    # PostgreSQL after Redis: neither its epochs nor its log go back.\n"
                '    epochs = dict(Tienda.objects.filter(id__in=armed).values_list("id", "epoch"))\n'
            ),
            (
                '    epochs = dict(Tienda.objects.filter(id__in=tiendas).values_list("id", "epoch"))\n'
                "    armed = journal.armed_histories(tiendas=tiendas)\n"
            ),
            DRAINED,
        ),
        ("another epoch disarms", "seen.epoch == epochs[tienda] and ", "", DRAINED),
        ("another timeline disarms", "seen.timeline == timeline and ", "", DRAINED),
        ("a PostgreSQL that went back disarms", " and not went_back:", ":", DRAINED),
        (
            "what was answered before it went back is forgotten",
            "            journal.doubt_answers(tienda_id=tienda)\n",
            "            pass\n",
            DRAINED,
        ),
        (
            "where PostgreSQL is, is kept",
            "        journal.note_position(tiendas=moved_on, position=position)\n",
            "        pass\n",
            DRAINED,
        ),
        (
            "a retry that was overtaken is open again",
            "    waiting.filter(estado=EstadoFalla.REINTENTADA).update(estado=EstadoFalla.ABIERTA)\n",
            "",
            DECIDED,
        ),
        (
            "only what was held is held again",
            "filter(tienda_id=tienda_id, con_reserva=True)",
            "filter(tienda_id=tienda_id)",
            COPIES,
        ),
        (
            "tombstones are known again",
            "        yield reservation.SettledSale(failed.venta_id, failed.huella, recovery.ANNULLED)",
            "        continue",
            ("tests/ventas/test_closing_as_text.py",),
        ),
    ),
    *of(
        "ventas/broker.py",
        (
            "unacknowledged is unfinished",
            'int(queue["messages"])',
            'int(queue["messages_ready"])',
            DRAINED,
        ),
        (
            "what is being dead-lettered is unfinished",
            'int(queue["messages"])',
            'int(queue["messages_ready"]) + int(queue["messages_unacknowledged"])',
            DRAINED,
        ),
        (
            "failed is unfinished",
            "_messages_in(topology.SALES_QUEUE.name, topology.FAILED_QUEUE.name)",
            "_messages_in(topology.SALES_QUEUE.name)",
            DRAINED,
        ),
        (
            "a queue that nobody told of is not empty",
            "{name for name, _messages in counts} == set(queues) and ",
            "",
            ("tests/golive/test_asking.py",),
        ),
        (
            "nor one that was not counted since its node started",
            ' and all("messages" in one for one in sampled)',
            "",
            ("tests/golive/test_asking.py",),
        ),
    ),
    *of(
        RECOVERY,
        (
            "where a Venta exists nothing has failed",
            "        if sale.huella in known:\n            return False\n",
            "",
            DECIDED,
        ),
        ("archived under its epoch", "of_now = sale.epoch == epoch", "of_now = True", COPIES),
        (
            "its hold leaves the sweep",
            "            transaction.on_commit(partial(_keep_hold, sale))\n",
            "            pass\n",
            ("tests/ventas/test_admin.py", *DECIDED),
        ),
        (
            "acknowledged once it is kept",
            "            archived += _archive(message, now)\n            message.acknowledge()\n",
            "            message.acknowledge()\n            archived += _archive(message, now)\n",
            DRAINED,
        ),
        ("a sale that found it cold waits for no rest", "hurry=True", "hurry=False", SWEPT),
        (
            "a refusal keeps no other tienda's holds",
            (
                '            logger.warning("tienda %s keeps its overdue holds: %s", tienda_id, error)\n'
                "            continue\n"
            ),
            "            raise\n",
            SWEPT,
        ),
        (
            "a long queue is no loss",
            "if broker.ready_sales_messages() > BACKLOG_MESSAGES:",
            "if False:",
            SWEPT,
        ),
        (
            "maintenance takes no forged sale",
            "if not signatures.is_signed(message.body, message.headers.get(signatures.HEADER)):",
            "if False:",
            ("tests/pipeline/test_forged.py",),
        ),
        (
            "a hold that cannot be read stops no other",
            "except (UnreadableMessage, ValueError, LookupError, AttributeError, TypeError):",
            "except ZeroDivisionError:",
            SWEPT,
        ),
        (
            "the server's holds are bounded",
            "if holds > settings.HOLDS_MAX_PER_SERVER}",
            "if False}",
            SWEPT,
        ),
        (
            "what a discard did not let go goes later",
            "                settled += _let_go_found(tienda_id, venta_id, huella)\n",
            "                pass\n",
            DECIDED,
        ),
        (
            "what a discarded sale holds is let go",
            "DONE | Q(estado=EstadoFalla.ABIERTA, motivo=MotivoFalla.LAPIDA, con_reserva=False)",
            "DONE",
            DECIDED,
        ),
        (
            "nobody lets go what is held again",
            "        own_tienda(tienda_id=tienda_id)\n        if not VentaFallida",
            "        if not VentaFallida",
            DECIDED,
        ),
        (
            "what is tried again is not let go",
            "        if not VentaFallida.objects.filter(HOLDS_NOTHING, tienda=tienda_id, venta_id=venta_id, huella=huella).exists():\n            return False\n",
            "",
            DECIDED,
        ),
    ),
    *of(
        FAILED,
        (
            "a retry is recorded under its hold's epoch",
            "if hold.epoch != epoch:",
            "if False:",
            ("tests/ventas/test_admin.py",),
        ),
        (
            "what was written off is not sold as well",
            "                raise CannotHold\n            if _is_written_off(sale):\n                raise WrittenOff\n",
            "                raise CannotHold\n",
            DECIDED,
        ),
        (
            "only what is open is tried again",
            "claimed = VentaFallida.objects.filter(pk=failed.pk, estado__in=OPEN, motivo=failed.motivo)",
            "claimed = VentaFallida.objects.filter(pk=failed.pk)",
            COPIES,
        ),
        (
            "held before it is tried again",
            "            hold = _hold_again(sale, nonce, now)\n",
            "            hold = reservation.Hold(False, sale.epoch, '', hold_of(sale)[1])\n",
            DECIDED,
        ),
        (
            "a refused retry is open again",
            "VentaFallida.objects.filter(pk=failed_id, estado=EstadoFalla.REINTENTADA).update(estado=EstadoFalla.ABIERTA)",
            "pass",
            DECIDED,
        ),
        (
            "what is written is not discarded",
            "            raise AlreadyWritten\n        failed.estado",
            "            pass\n        failed.estado",
            DECIDED,
        ),
        ("a discard leaves a tombstone", "        failed.estado = EstadoFalla.DESCARTADA\n", "", DECIDED),
        (
            "a discard lets the hold go",
            "            transaction.on_commit(partial(_let_go, sale))\n",
            "            pass\n",
            DECIDED,
        ),
        (
            "only goods that are held are written off",
            "if held_epoch is None or held_epoch != epoch or not failed.con_reserva:",
            "if False:",
            DECIDED,
        ),
        (
            "what a tombstone holds is not written off",
            " or not failed.con_reserva:",
            ":",
            DECIDED,
        ),
        (
            "written off once",
            "if not goods_came_back and not _is_written_off(sale):",
            "if not goods_came_back:",
            DECIDED,
        ),
    ),
    *of(
        INTAKE,
        (
            "what can never be written is given back",
            "    except OperationConflict:\n        logger.warning",
            "    except ZeroDivisionError:\n        logger.warning",
            MOVED,
        ),
        (
            "what goes out is held first",
            "        hold = _hold(operation, nonce, now_ms)\n",
            "        hold = reservation.Hold(True, reservation.armed_epochs(tiendas=[operation.tienda_id])[operation.tienda_id] or 0, '', ())\n",
            MOVED,
        ),
        (
            "an adjustment is of its hold's epoch",
            "if epoch is not None and epochs.get(operation.tienda_id) != epoch:",
            "if False:",
            MOVED,
        ),
        (
            "what was not written is given back",
            "            reservation.release(tienda_id=operation.tienda_id, venta_id=operation.operacion, nonce=nonce)\n",
            "            pass\n",
            MOVED,
        ),
        (
            "another operation under the key moves nothing",
            '    if found != operation.deltas(sign=sign):\n        raise OperationConflict(_("La clave de la operación ya es de otra."))\n    return',
            "    return",
            MOVED,
        ),
    ),
]
