"""Every live hold: how old it is, where its sale is, and what will happen to it."""

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from cache_stock import figures, intake, journal
from ventas.messages import UnreadableMessage, hold_payload
from ventas.models import EstadoFalla, MotivoFalla, Venta, VentaFallida

SALES_A_QUERY = 500


class Fate(enum.StrEnum):
    """Where a held sale is."""

    ON_ITS_WAY = "on its way"
    WRITTEN = "written"
    FAILED = "failed"
    RETRIED = "retried"
    DISCARDED = "discarded"
    ADJUSTMENT = "adjustment"
    UNREADABLE = "unreadable"
    GONE = "gone"
    FOR_NOBODY = "for nobody"


# What will happen to it; {when} is when the sweep looks next.
FUTURE = {
    Fate.ON_ITS_WAY: "in the queue or with a worker; published again {when} if it is not written by then",
    Fate.WRITTEN: "written in PostgreSQL, its hold not settled yet; the sweep has it settled {when}",
    Fate.FAILED: "could not be written; its stock stays held until a manager retries or discards it",
    Fate.RETRIED: "a manager retried it; published again {when} if it is not written by then",
    Fate.DISCARDED: "a manager discarded it; the archive's next round, every ten seconds, lets its stock go",
    Fate.ADJUSTMENT: "an adjustment of stock; the sweep completes it {when}",
    Fate.UNREADABLE: "its request cannot be read; the sweep says why in the maintenance log, and its stock stays held",
    Fate.GONE: "the journal names it, its hold is gone; the sweep disarms the tienda, and a cold start puts it right",
    Fate.FOR_NOBODY: "held as a failed sale's, and there is no such sale; reconcile_stock --repair sweeps it again",
}
FAILED_FATES = {
    EstadoFalla.ABIERTA: Fate.FAILED,
    EstadoFalla.REINTENTADA: Fate.RETRIED,
    EstadoFalla.DESCARTADA: Fate.DISCARDED,
}


@dataclass(frozen=True, slots=True)
class LiveSale:
    """One live hold; `age_s` since it was made. `lines` and `total_centavos` as held, None where that is not known."""

    tienda_id: UUID
    venta_id: UUID
    fate: Fate
    age_s: float
    due_in_s: float | None
    epoch: int | None
    intents: int
    swept: int
    lines: int | None
    total_centavos: int | None
    failed_id: int | None

    @property
    def future(self) -> str:
        """What will happen to it, in words."""
        when = "now" if not self.due_in_s or self.due_in_s <= 0 else f"in {self.due_in_s:.0f} s"
        return FUTURE[self.fate].format(when=when)


@dataclass(frozen=True, slots=True)
class Misheld:
    """A hold that nobody waits for (`held`; `discarded`: of a sale that was), or an open failed sale whose stock is not
    held."""

    venta_id: UUID
    held: bool
    discarded: bool = False


def live_sales(*, tienda_id: UUID, now_ms: int) -> list[LiveSale]:
    """The live holds of a tienda, the oldest first. Raises a StockError."""
    entries = list(journal.entries(tienda_id=tienda_id))
    found = []
    for start in range(0, len(entries), SALES_A_QUERY):
        found += _judged(tienda_id, entries[start : start + SALES_A_QUERY], now_ms)
    return sorted(found, key=lambda sale: (-sale.age_s, sale.venta_id))


def _judged(tienda_id: UUID, entries: Sequence[journal.JournalEntry], now_ms: int) -> list[LiveSale]:
    ids = [entry.venta_id for entry in entries]
    mine = {"tienda_id": tienda_id, "venta_id__in": ids}
    written = set(Venta.objects.filter(**mine).values_list("venta_id", "huella"))
    failed = {
        (row.venta_id, row.huella): (row.pk, _failed_fate(row))
        for row in VentaFallida.objects.filter(**mine).only("venta_id", "huella", "estado", "motivo", "con_reserva")
    }
    return [_live_sale(tienda_id, entry, now_ms, written, failed) for entry in entries]


def _live_sale(
    tienda_id: UUID,
    entry: journal.JournalEntry,
    now_ms: int,
    written: set[tuple[UUID, str]],
    failed: dict[tuple[UUID | None, str], tuple[int, Fate | None]],
) -> LiveSale:
    key = (entry.venta_id, entry.hold.huella if entry.hold else "")
    failed_id, failed_fate = failed.get(key, (None, None))
    fate, total = _fate_of(entry, written=key in written, failed=failed_fate)
    return LiveSale(
        tienda_id=tienda_id,
        venta_id=entry.venta_id,
        fate=fate,
        age_s=max(0.0, (now_ms - entry.made_ms) / 1000) if entry.made_ms else 0.0,
        due_in_s=None if entry.due_ms is None else (entry.due_ms - now_ms) / 1000,
        epoch=entry.hold.epoch if entry.hold else None,
        intents=entry.intents,
        swept=entry.swept,
        lines=len(entry.hold.products) if entry.hold else None,
        total_centavos=total,
        failed_id=failed_id,
    )


def _failed_fate(failed: VentaFallida) -> Fate | None:
    """A copy that came after the discard opens the sale again, and holds nothing all the same."""
    if failed.motivo == MotivoFalla.LAPIDA and failed.estado == EstadoFalla.ABIERTA and not failed.con_reserva:
        return Fate.DISCARDED
    return FAILED_FATES.get(EstadoFalla(failed.estado))


def _fate_of(entry: journal.JournalEntry, *, written: bool, failed: Fate | None) -> tuple[Fate, int | None]:
    """Where it is, and its total where it is a sale that can be read."""
    if entry.hold is None:
        return Fate.GONE, None
    try:
        if intake.is_adjustment(entry.hold):
            return Fate.ADJUSTMENT, None
        _payload, total = hold_payload(hold=entry.hold)
    except (UnreadableMessage, ValueError, LookupError, AttributeError, TypeError):
        return Fate.UNREADABLE, None
    if written:
        return Fate.WRITTEN, total
    if failed is not None:
        return failed, total
    return (Fate.FOR_NOBODY if entry.due_ms is None else Fate.ON_ITS_WAY), total


def misheld(*, tienda_id: UUID, now_ms: int) -> list[Misheld]:
    """What a look at one moment finds; a sale that moves on meanwhile may be among it. Raises a StockError."""
    for_nobody = [
        Misheld(sale.venta_id, held=True, discarded=sale.fate is Fate.DISCARDED)
        for sale in live_sales(tienda_id=tienda_id, now_ms=now_ms)
        if sale.fate in {Fate.FOR_NOBODY, Fate.DISCARDED}
    ]
    waiting = VentaFallida.objects.filter(tienda_id=tienda_id, con_reserva=True, estado=EstadoFalla.ABIERTA)
    sales = [(tienda_id, venta_id) for venta_id in waiting.values_list("venta_id", flat=True) if venta_id is not None]
    held = figures.held_anywhere(sales=sales)
    unheld = [venta_id for _tienda, venta_id in sales if (tienda_id, venta_id) not in held]
    return for_nobody + [Misheld(venta_id, held=False) for venta_id in sorted(unheld)]
