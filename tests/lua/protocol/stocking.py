"""Acts on stock otherwise than by a sale: warmups, flushes, purchases, prices, and what goes out."""

from uuid import UUID

from cache_stock import carrying, keys, reservation, scripts
from cache_stock.reservation import Balance, Hold, LiveHold, SettledSale, Wanted
from cache_stock.rows import Row
from tests.lua.protocol.actors import Adjustment
from tests.lua.protocol.postgres import TIMELINE
from tests.lua.protocol.selling import WHICH
from tests.lua.protocol.world import PRODUCTOS, SWEEP_AFTER_MS, TIENDAS, World, act, pick_from, take_from

MOST_WARMUPS = 4
ADJUSTMENT_HUELLA = "e" * 64
PRODUCTO = (0, 1)


@act(tienda=TIENDAS, producto=PRODUCTO)
def read(world: World, *, tienda: UUID, producto: int) -> None:
    """A warmup reads a product; when it will write is anybody's guess."""
    if len(world.warmups) < MOST_WARMUPS:
        world.warmups.append((tienda, Row(*world.postgres.tables[tienda].row(PRODUCTOS[tienda][producto]))))


@act(pick=WHICH)
def warm(world: World, *, pick: int) -> None:
    if world.warmups:
        tienda, row = take_from(world.warmups, pick)
        carry(world, tienda, row)


def carry(world: World, tienda: UUID, *rows: Row) -> bool:
    """Whether Redis took it or knew better; False where it waits for a cold start."""
    try:
        carrying.carry_rows(tienda_id=tienda, rows=rows, now_ms=world.now_ms)
    except carrying.ColdStartNeeded:
        return False
    return True


@act(often=0.3, tienda=TIENDAS, producto=PRODUCTO)
def flush(world: World, *, tienda: UUID, producto: int) -> None:
    name = PRODUCTOS[tienda][producto]
    scripts.flush(keys=[keys.loaded(tienda), keys.stock(tienda, name)], arguments=[str(name)])


@act(often=0.2, tienda=TIENDAS)
def forget_answers(world: World, *, tienda: UUID) -> None:
    """Two days pass: Redis forgets what it answered."""
    tables = world.postgres.tables[tienda]
    for venta in [*tables.sales, *tables.tombstones()]:
        world.server.client.delete(keys.answer(tienda, venta))


@act(often=0.3, tienda=TIENDAS, producto=PRODUCTO, told=(True, False))
def buy(world: World, *, tienda: UUID, producto: int, told: bool) -> None:
    """Stock comes in; its balance goes to Redis on commit, unless the process dies first."""
    tables, name = world.postgres.tables[tienda], PRODUCTOS[tienda][producto]
    tables.move(name, 1)
    if told:
        carry(world, tienda, Row(*tables.row(name)))


@act(often=0.2, tienda=TIENDAS, producto=PRODUCTO, told=(True, False))
def reprice(world: World, *, tienda: UUID, producto: int, told: bool) -> None:
    tables, name = world.postgres.tables[tienda], PRODUCTOS[tienda][producto]
    tables.precios[name].append(tables.precios[name][-1] + 1)
    if told:
        carry(world, tienda, Row(*tables.row(name)))


@act(often=0.4, tienda=TIENDAS, producto=PRODUCTO, cantidad=(1, 2))
def lower(world: World, *, tienda: UUID, producto: int, cantidad: int) -> None:
    """Stock is to go out: held first, like a sale."""
    name, operacion = PRODUCTOS[tienda][producto], UUID(int=(1 << 32) + world.next_serial())
    tables = world.postgres.tables[tienda]
    if "hold_first" in world.without:
        if tables.stock(name) >= cantidad:
            tables.move(name, -cantidad)
        return
    try:
        held = reservation.reserve(
            tienda_id=tienda,
            venta_id=operacion,
            huella=ADJUSTMENT_HUELLA,
            nonce="ajuste",
            wanted=[Wanted(name, cantidad)],
            pedido="ajuste",
            now_ms=world.now_ms,
            sweep_after_ms=SWEEP_AFTER_MS,
            most_holds=50,
            only_active=False,
        )
    except reservation.ReservationRefused:
        return
    assert isinstance(held, Hold)
    world.adjustments.append(
        Adjustment(LiveHold(tienda, operacion, ADJUSTMENT_HUELLA, held.epoch, "ajuste", held.products))
    )


@act(pick=WHICH)
def adjust(world: World, *, pick: int) -> None:
    """Its next step: the transaction, which is of the hold's epoch and happens once, or the settlement."""
    if not world.adjustments:
        return
    adjustment = pick_from(world.adjustments, pick)
    hold = adjustment.hold
    tables = world.postgres.tables[hold.tienda_id]
    if adjustment.balances is None:
        if hold.venta_id not in tables.operations:
            if hold.epoch != tables.epoch and "adjustment_epoch" not in world.without:
                world.adjustments.remove(adjustment)
                return
            tables.operations.add(hold.venta_id)
            for product in hold.products:
                tables.move(product.producto_id, -product.cantidad_milli)
        adjustment.balances = {product.producto_id: tables.balance(product.producto_id) for product in hold.products}
        return
    world.adjustments.remove(adjustment)
    reservation.settle(
        tienda_id=hold.tienda_id,
        sales=[SettledSale(hold.venta_id, hold.huella)],
        balances=[Balance(producto, *balance) for producto, balance in adjustment.balances.items()],
        answer_ttl_s=1000,
        timeline=TIMELINE,
    )


@act(often=0.2, pick=WHICH)
def adjustment_dies(world: World, *, pick: int) -> None:
    if world.adjustments:
        take_from(world.adjustments, pick)
