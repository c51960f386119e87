"""The holds of a tienda: what a sale, an adjustment or a settlement may ask of the stock's Redis.

Quantities are whole thousandths, money whole cents, tax rates hundredths of a percent, times milliseconds since 1970.
Every function is idempotent and costs one round trip. Errors of the connection are those of cache_stock.scripts.
"""

import enum
import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from blend_pos.ids import known_uuid, uuid_text
from cache_stock import keys, scripts

logger = logging.getLogger(__name__)


class Code(enum.IntEnum):
    """What reserve.lua decided; the first three are those of the specification."""

    HELD = 1
    INSUFFICIENT = -1
    NOT_CACHED = -2
    PERSISTED = 2
    NOT_ARMED = -3
    CONFLICT = -4
    PRICE_DIFFERS = -5
    TOO_MANY_HOLDS = -6
    NOT_ACTIVE = -7


class Wanted(NamedTuple):
    """One distinct product of a cart: how much of it, and the price that was shown ('' where none was)."""

    producto_id: UUID
    cantidad_milli: int
    expected_price: str = ""


class HeldProduct(NamedTuple):
    """One distinct product as it is held: price and tax are those that the script read."""

    producto_id: UUID
    cantidad_milli: int
    precio_centavos: int
    impuesto: int
    catalogo_version: int


@dataclass(frozen=True, slots=True)
class Hold:
    """A live hold. `created` is False where the sale was held before; then `pedido` is the one of that time."""

    created: bool
    epoch: int
    pedido: str
    products: tuple[HeldProduct, ...]


@dataclass(frozen=True, slots=True)
class Persisted:
    """The sale is written already; `answer` is what settle kept of it."""

    answer: str


@dataclass(frozen=True, slots=True)
class LiveHold:
    """A hold of the journal, as who looks at it or claims it sees it."""

    tienda_id: UUID
    venta_id: UUID
    huella: str
    epoch: int
    pedido: str
    products: tuple[HeldProduct, ...]


@dataclass(frozen=True, slots=True)
class SettledSale:
    """A sale to settle; `answer` is kept for who asks again, '' keeps nothing."""

    venta_id: UUID
    huella: str
    answer: str = ""


@dataclass(frozen=True, slots=True)
class Balance:
    """A product's balance as one transaction left it."""

    producto_id: UUID
    saldo_milli: int
    version: int


class ReservationRefused(Exception):
    """The script ran and held nothing."""


class HoldUnreadable(scripts.ReplyLost):
    """What Redis keeps of a hold is none of ours: what is held is not known."""


class NotArmed(ReservationRefused):
    """This Redis is not the one that the last cold start armed: nothing is promised."""


class SaleConflict(ReservationRefused):
    """The sale's id was used with another cart."""


class TooManyHolds(ReservationRefused):
    """More live holds than the bound: the workers are behind."""


class NotCached(ReservationRefused):
    """Products that are not in the cache."""

    def __init__(self, productos: Sequence[UUID]) -> None:
        super().__init__(productos)
        self.productos = tuple(productos)


class NotActive(ReservationRefused):
    """Products that are not sold."""

    def __init__(self, productos: Sequence[UUID]) -> None:
        super().__init__(productos)
        self.productos = tuple(productos)


class PriceDiffers(ReservationRefused):
    """Products whose price is another than the expected one: producto -> price in cents."""

    def __init__(self, prices: Mapping[UUID, int]) -> None:
        super().__init__(prices)
        self.prices = dict(prices)


class Insufficient(ReservationRefused):
    """Products that are short: producto -> what is available, thousandths."""

    def __init__(self, available: Mapping[UUID, int]) -> None:
        super().__init__(available)
        self.available = dict(available)


def parse_lines(text: str) -> tuple[HeldProduct, ...]:
    """The products of a hold, from the form in which the scripts keep them. Raises HoldUnreadable."""
    *lines, rest = text.split(";")
    if rest:
        raise HoldUnreadable("lines: the end is missing")
    products = []
    try:
        for line in lines:
            producto, cantidad, precio, impuesto, version = line.split(" ")
            products.append(HeldProduct(known_uuid(producto), int(cantidad), int(precio), int(impuesto), int(version)))
    except ValueError as error:
        raise HoldUnreadable(f"lines: {error}") from error
    return tuple(products)


def read_hold(*, tienda_id: UUID, venta_id: str, huella: str, epoch: str, pedido: str, lines: str) -> LiveHold:
    """A live hold from its texts. Raises HoldUnreadable."""
    products = parse_lines(lines)
    try:
        venta = UUID(venta_id)
    except ValueError as error:
        raise HoldUnreadable(f"journal: {error}") from error
    return LiveHold(tienda_id, venta, huella, _read_epoch(epoch), pedido, products)


def _read_epoch(text: str) -> int:
    try:
        return int(text)
    except ValueError as error:
        raise HoldUnreadable(f"epoch: {error}") from error


def format_lines(products: Sequence[HeldProduct]) -> str:
    """The other way round."""
    return "".join(
        f"{p.producto_id} {p.cantidad_milli} {p.precio_centavos} {p.impuesto} {p.catalogo_version};" for p in products
    )


def reserve(
    *,
    tienda_id: UUID,
    venta_id: UUID,
    huella: str,
    nonce: str,
    wanted: Sequence[Wanted],
    pedido: str,
    now_ms: int,
    sweep_after_ms: int,
    most_holds: int,
    only_active: bool = True,
) -> Hold | Persisted:
    """Hold every product of a cart or none; each product once, in any order. Raises a ReservationRefused, or
    HoldUnreadable."""
    names = [
        keys.meta(tienda_id),
        keys.journal(tienda_id),
        keys.loaded(tienda_id),
        keys.hold(tienda_id, venta_id),
        keys.answer(tienda_id, venta_id),
    ]
    prefix = keys.stock_prefix(tienda_id)
    arguments: list[str | int] = [
        str(venta_id),
        huella,
        nonce,
        now_ms,
        now_ms + sweep_after_ms,
        most_holds,
        pedido,
        "1" if only_active else "0",
    ]
    for want in wanted:
        producto = uuid_text(want.producto_id)
        names.append(prefix + producto)
        arguments += (producto, want.cantidad_milli, want.expected_price)
    code, *result = scripts.reserve(keys=names, arguments=arguments)
    if code == Code.HELD:
        created, epoch, kept, lines = result
        return Hold(created == 1, _read_epoch(epoch), kept, parse_lines(lines))
    if code == Code.PERSISTED:
        return Persisted(result[0])
    raise _refusal(Code(code), result)


def _refusal(code: Code, result: Sequence[str]) -> ReservationRefused:
    if code in _WITH_AMOUNTS:
        amounts = {UUID(producto): int(amount) for producto, amount in zip(result[::2], result[1::2], strict=True)}
        return _WITH_AMOUNTS[code](amounts)
    if code in _WITH_PRODUCTS:
        return _WITH_PRODUCTS[code]([UUID(producto) for producto in result])
    return _PLAIN[code]()


_WITH_AMOUNTS: dict[Code, Callable[[Mapping[UUID, int]], ReservationRefused]] = {
    Code.INSUFFICIENT: Insufficient,
    Code.PRICE_DIFFERS: PriceDiffers,
}
_WITH_PRODUCTS: dict[Code, Callable[[Sequence[UUID]], ReservationRefused]] = {
    Code.NOT_CACHED: NotCached,
    Code.NOT_ACTIVE: NotActive,
}
_PLAIN: dict[Code, Callable[[], ReservationRefused]] = {
    Code.NOT_ARMED: NotArmed,
    Code.CONFLICT: SaleConflict,
    Code.TOO_MANY_HOLDS: TooManyHolds,
}


def release(*, tienda_id: UUID, venta_id: UUID, nonce: str) -> bool:
    """Give back the very hold that this nonce made; False where refused, and then the sale goes on."""
    return scripts.release(
        keys=[keys.meta(tienda_id), keys.journal(tienda_id), keys.hold(tienda_id, venta_id)],
        arguments=[str(venta_id), nonce, keys.stock_prefix(tienda_id)],
    )


def settle(
    *,
    tienda_id: UUID,
    sales: Sequence[SettledSale],
    balances: Sequence[Balance],
    answer_ttl_s: int,
    timeline: str = "",
    epoch: int = 0,
) -> tuple[int, bool]:
    """After COMMIT: drop the holds, write that transaction's balances. Holds dropped, and False where the tienda is
    disarmed. `timeline` and `epoch` are PostgreSQL's; 0 where it was not read."""
    names = [keys.meta(tienda_id), keys.journal(tienda_id), keys.loaded(tienda_id)]
    arguments: list[str | int] = [keys.stock_prefix(tienda_id), answer_ttl_s, timeline, epoch, len(sales)]
    for sale in sales:
        names += (keys.hold(tienda_id, sale.venta_id), keys.answer(tienda_id, sale.venta_id))
        arguments += (str(sale.venta_id), sale.huella, sale.answer)
    for balance in balances:
        names.append(keys.stock(tienda_id, balance.producto_id))
        arguments += (str(balance.producto_id), balance.saldo_milli, balance.version)
    return scripts.settle(keys=names, arguments=arguments)


def keep_failed(*, tienda_id: UUID, venta_id: UUID, huella: str) -> bool:
    """The sale is a VentaFallida: its hold stays and is swept no more. False where there is no such hold."""
    return scripts.fail(
        keys=[keys.journal(tienda_id), keys.hold(tienda_id, venta_id)], arguments=[str(venta_id), huella]
    )


def is_held(*, tienda_id: UUID, venta_id: UUID) -> bool:
    """Whether the sale has a live hold."""
    return bool(scripts.exists(keys=[keys.hold(tienda_id, venta_id)]))


def find_hold(*, tienda_id: UUID, venta_id: UUID) -> LiveHold | None:
    """The sale's live hold, or None. Raises HoldUnreadable."""
    fields = scripts.fields(key=keys.hold(tienda_id, venta_id), names=["huella", "epoch", "pedido", "lineas"])
    huella, epoch, pedido, lines = fields
    if huella is None or epoch is None or pedido is None or lines is None:
        return None
    return read_hold(
        tienda_id=tienda_id, venta_id=str(venta_id), huella=huella, epoch=epoch, pedido=pedido, lines=lines
    )


def armed_epochs(*, tiendas: Sequence[UUID]) -> dict[UUID, int | None]:
    """The epoch of each tienda while its Redis is armed, else None. One round trip a tienda."""
    return {tienda: scripts.check(keys=[keys.meta(tienda)])[0] for tienda in tiendas}


def seen_epochs(*, tiendas: Collection[UUID]) -> dict[UUID, int | None]:
    """The same of many, in one round trip a server; those of a server that does not answer are left out. Raises a
    StockError where none does."""
    if len(tiendas) == 1:
        return armed_epochs(tiendas=list(tiendas))
    return scripts.check_each(metas={tienda: keys.meta(tienda) for tienda in tiendas})


def server_of(*, tienda_id: UUID) -> str:
    """Which Redis has the tienda; '' where there is one for all."""
    return scripts.server_of(keys.meta(tienda_id))


def available(*, tienda_id: UUID, productos: Sequence[UUID]) -> dict[UUID, int | None]:
    """What can be promised of each product now, thousandths; None where it is not in the cache or the tienda not
    armed."""
    if not productos:
        return {}
    names = [keys.meta(tienda_id), *(keys.stock(tienda_id, producto) for producto in productos)]
    epoch, stock = scripts.check(keys=names)
    result: dict[UUID, int | None] = {}
    for producto, (saldo, reservado, _version, _catalogo) in zip(productos, stock, strict=True):
        result[producto] = int(saldo) - int(reservado) if epoch is not None and saldo != "" else None
    return result


def claim_overdue(
    *, tienda_id: UUID, now_ms: int, first_pause_ms: int, longest_pause_ms: int, most: int
) -> list[LiveHold]:
    """Claim at most `most` overdue holds for another publish. One that cannot be read is left out."""
    due = scripts.overdue(key=keys.journal(tienda_id), now_ms=now_ms, most=most)
    if not due:
        return []
    claimed = scripts.sweep(
        keys=[keys.meta(tienda_id), keys.journal(tienda_id), *(keys.hold_prefix(tienda_id) + venta for venta in due)],
        arguments=[now_ms, first_pause_ms, longest_pause_ms, *due],
    )
    holds = []
    for venta, huella, epoch, pedido, lines in claimed:
        try:
            hold = read_hold(
                tienda_id=tienda_id, venta_id=venta, huella=huella, epoch=epoch, pedido=pedido, lines=lines
            )
        except HoldUnreadable:
            logger.exception("hold %s of tienda %s cannot be read; it stays", venta, tienda_id)
        else:
            holds.append(hold)
    return holds


def ask_for_warmup(*, tienda_id: UUID) -> None:
    """Leave word that the tienda is cold; maintenance warms it within seconds, however often it is asked."""
    scripts.set_field(key=keys.meta(tienda_id), field="calentar", value="1")
