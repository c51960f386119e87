"""The worker's side: a batch of sales in one PostgreSQL transaction, then the settlement of their holds.

Order of the locks, the same for everybody: tiendas' advisory locks (shared), terminals, ventas, products; each in
id order. Written twice, a sale is a no-op; the holds are settled all the same, with balances read after the sale
was seen.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from uuid import UUID

import orjson
from django.conf import settings
from django.db import OperationalError, transaction

from blend_pos.tiendas.locks import read_timeline, share_tiendas
from cache_stock import reservation
from cache_stock.scripts import StockError
from inventario import ledger
from inventario.models import TipoMovimiento
from ventas.messages import SaleMessage
from ventas.models import MotivoFalla
from ventas.rows import (
    FailedRow,
    failed_sales,
    insert_lines,
    insert_payments,
    insert_sales,
    known_sales,
    lock_terminals,
    number_terminals,
    record_failed,
    resolve_failed,
)

SaleKey = tuple[UUID, UUID]


class UnknownTienda(Exception):
    """The message names a tienda, or a terminal of it, that is not there."""


class WrittenMeanwhile(OperationalError):
    """Another transaction wrote one of the sales after they were judged, and the receipt meant for it would be
    skipped. As with a serialization failure, the same batch again is judged anew."""


@dataclass(slots=True)
class Verdict:
    """What becomes of each sale of a batch: `fresh` are to be written, `known` are written already, `failed` never
    will be."""

    fresh: list[SaleMessage] = field(default_factory=list)
    known: list[SaleMessage] = field(default_factory=list)
    failed: list[tuple[SaleMessage, MotivoFalla]] = field(default_factory=list)


@dataclass(slots=True)
class Written:
    """What one transaction did, for the settlement after it."""

    verdict: Verdict
    balances: dict[UUID, ledger.StockBalance]
    timeline: str
    epochs: dict[UUID, int] = field(default_factory=dict)


def sale_key(sale: SaleMessage) -> SaleKey:
    """What a sale is known by."""
    return sale.tienda_id, sale.venta_id


def judge(
    *,
    sales: Iterable[SaleMessage],
    epochs: dict[UUID, int],
    known: dict[SaleKey, str],
    tombstones: set[tuple[SaleKey, str]],
) -> Verdict:
    """Sort a batch. `known`: the fingerprint of each sale that is written. Of two copies the newest epoch counts."""
    verdict = Verdict()
    taken = dict(known)
    seen: set[tuple[SaleKey, str]] = set()
    for sale in sorted(sales, key=lambda sale: (sale.tienda_id, sale.venta_id, -sale.epoch)):
        key = sale_key(sale)
        if (key, sale.huella) in seen:
            continue
        seen.add((key, sale.huella))
        if key in taken:
            if taken[key] == sale.huella:
                verdict.known.append(sale)
            else:
                verdict.failed.append((sale, MotivoFalla.HUELLA))
        elif (key, sale.huella) in tombstones:
            verdict.failed.append((sale, MotivoFalla.LAPIDA))
        elif epochs[sale.tienda_id] != sale.epoch:
            verdict.failed.append((sale, MotivoFalla.EPOCA))
        else:
            taken[key] = sale.huella
            verdict.fresh.append(sale)
    return verdict


def write(*, sales: Sequence[SaleMessage], now: datetime) -> Written:
    """Write a batch in one transaction, all of it or nothing; any database error is the caller's to judge.

    Raises UnknownTienda, WrittenMeanwhile. After it, settle(): a settlement that is lost loses nothing, the batch may
    be written again.
    """
    with transaction.atomic():
        return _write(sales, now)


def _write(sales: Sequence[SaleMessage], now: datetime) -> Written:
    epochs = share_tiendas(tiendas={sale.tienda_id for sale in sales})
    missing = {sale.tienda_id for sale in sales} - epochs.keys()
    if missing:
        raise UnknownTienda(f"no such tienda: {sorted(map(str, missing))}")
    keys = sorted({sale_key(sale) for sale in sales})
    terminals = lock_terminals({sale.terminal_id for sale in sales})
    _check_terminals(sales, terminals)
    failures = failed_sales(keys)
    tombstones = {(row.key, row.huella) for row in failures if row.discarded}
    known = {row.key: row.huella for row in known_sales(keys)}
    verdict = judge(sales=sales, epochs=epochs, known=known, tombstones=tombstones)
    balances = _write_fresh(verdict, terminals, now)
    failed_before = {row.key for row in failures}
    resolve_failed([sale for sale in verdict.fresh if sale_key(sale) in failed_before], now)
    record_failed(
        [FailedRow(sale, motivo, con_reserva=epochs[sale.tienda_id] == sale.epoch) for sale, motivo in verdict.failed],
        now,
    )
    others = {item.producto_id for sale in verdict.known for item in sale.items} - balances.keys()
    if others:
        balances |= {balance.producto_id: balance for balance in ledger.balances(productos=sorted(others))}
    return Written(verdict, balances, read_timeline(), epochs)


def _check_terminals(sales: Sequence[SaleMessage], terminals: dict[UUID, tuple[UUID, int]]) -> None:
    for sale in sales:
        if sale.terminal_id not in terminals or terminals[sale.terminal_id][0] != sale.tienda_id:
            raise UnknownTienda(f"tienda {sale.tienda_id} has no terminal {sale.terminal_id}")


def _write_fresh(
    verdict: Verdict, terminals: dict[UUID, tuple[UUID, int]], now: datetime
) -> dict[UUID, ledger.StockBalance]:
    """Ventas, lines, stock and ledger of the fresh sales. Raises WrittenMeanwhile."""
    numbers = {terminal: last for terminal, (_tienda, last) in terminals.items()}
    receipts = []
    for sale in verdict.fresh:
        numbers[sale.terminal_id] += 1
        receipts.append(numbers[sale.terminal_id])
    ids = insert_sales(verdict.fresh, receipts, now)
    if len(ids) != len(verdict.fresh):
        raise WrittenMeanwhile
    if not verdict.fresh:
        return {}
    written = [(ids[sale_key(sale)], sale) for sale in verdict.fresh]
    insert_lines(written)
    insert_payments(written)
    movements = [
        ledger.Movement(
            producto_id=item.producto_id,
            tienda_id=sale.tienda_id,
            tipo=TipoMovimiento.VENTA,
            delta=Decimal(-item.cantidad_milli).scaleb(-3),
            fecha=sale.fecha,
            venta=ids[sale_key(sale)],
            linea=number,
            usuario_id=sale.cajero_id,
        )
        for sale in verdict.fresh
        for number, item in enumerate(sale.items, start=1)
    ]
    balances = ledger.record(movements=movements)
    number_terminals({terminal: last for terminal, last in numbers.items() if last != terminals[terminal][1]})
    return {balance.producto_id: balance for balance in balances}


def kept_answer(sale: SaleMessage) -> str:
    """What Redis keeps of a written sale, for who asks again."""
    return orjson.dumps(
        {
            "estado": "PERSISTIDA",
            "fecha": sale.fecha.isoformat(),
            "total": sale.total_centavos,
            "pago": sale.metodo_pago,
            "lineas": len(sale.items),
        }
    ).decode()


def settle(*, written: Written) -> None:
    """After COMMIT, one call a tienda: the holds go, the balances of that transaction come. A message of a past epoch
    brings none: but whoever is still armed with it hears of the later one. Raises a StockError: of several servers one
    that fails has kept no other from its own."""
    verdict = written.verdict
    past = {sale.tienda_id for sale, motivo in verdict.failed if motivo is MotivoFalla.EPOCA}
    tiendas = {sale.tienda_id for sale in verdict.fresh + verdict.known} | past
    away: dict[str, StockError] = {}
    for tienda_id in sorted(tiendas):
        server = reservation.server_of(tienda_id=tienda_id)
        if server in away:
            continue
        try:
            _settle_tienda(written, tienda_id)
        except StockError as error:
            away[server] = error
    for lost in away.values():
        raise lost
    for sale, motivo in verdict.failed:
        if motivo is not MotivoFalla.EPOCA:
            reservation.keep_failed(tienda_id=sale.tienda_id, venta_id=sale.venta_id, huella=sale.huella)


def _settle_tienda(written: Written, tienda_id: UUID) -> None:
    done = written.verdict.fresh + written.verdict.known
    mine = [sale for sale in done if sale.tienda_id == tienda_id]
    productos = sorted({item.producto_id for sale in mine for item in sale.items})
    reservation.settle(
        tienda_id=tienda_id,
        sales=[reservation.SettledSale(sale.venta_id, sale.huella, kept_answer(sale)) for sale in mine],
        balances=[
            reservation.Balance(
                producto, int(written.balances[producto].saldo * 1000), written.balances[producto].version
            )
            for producto in productos
            if producto in written.balances
        ],
        answer_ttl_s=settings.ANSWER_TTL_S,
        timeline=written.timeline,
        epoch=written.epochs.get(tienda_id, 0),
    )
