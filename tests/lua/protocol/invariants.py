"""What must be true after every act, and what when all is at rest."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

from tests.lua.protocol.postgres import Tables, Violation, quantities
from tests.lua.protocol.server import Seen
from tests.lua.protocol.world import TIENDAS, World
from tests.lua.protocol.writing import open_failures


@dataclass(slots=True)
class Watch:
    """Checks one world; remembers the versions that it saw, which never go back unless Redis lost something."""

    world: World
    lost: int = 0
    versions: dict[UUID, tuple[int, int]] = field(default_factory=dict)

    def check(self) -> None:
        """Raise Violation where something is not as it must be."""
        seen = self.world.server.look()
        if self.lost != self.world.lost:
            self.lost, self.versions = self.world.lost, {}
        for tienda in TIENDAS:
            armed = seen[tienda].epoch is not None
            if armed or tienda not in self.world.loading:
                self._reserved_is_what_is_held(seen[tienda])
            if armed:
                self._every_hold_can_be_written(tienda, seen[tienda])
                self._redis_says_what_postgresql_said(tienda, seen[tienda])
                self._versions_do_not_go_back(seen[tienda])
            else:
                self.versions = {name: v for name, v in self.versions.items() if name not in seen[tienda].stock}
        self._what_is_in_flight_is_held(seen)

    def _reserved_is_what_is_held(self, seen: Seen) -> None:
        held = dict.fromkeys(seen.stock, 0)
        for hold in seen.holds.values():
            for product in hold.products:
                held[product.producto_id] += product.cantidad_milli
        for producto, there in seen.stock.items():
            if there is not None and there.reservado != held[producto]:
                raise Violation("reservado is not the sum of the holds")

    def _every_hold_can_be_written(self, tienda: UUID, seen: Seen) -> None:
        """What every promise rests on: the stock suffices for all holds that are still to be written."""
        tables = self.world.postgres.tables[tienda]
        needed = dict.fromkeys(seen.stock, 0)
        for venta, hold in seen.holds.items():
            if tables.needs_hold(venta):
                for product in hold.products:
                    needed[product.producto_id] += product.cantidad_milli
        for producto, milli in needed.items():
            if milli > tables.stock(producto):
                raise Violation("more held than there is")

    def _redis_says_what_postgresql_said(self, tienda: UUID, seen: Seen) -> None:
        tables = self.world.postgres.tables[tienda]
        for producto, there in seen.stock.items():
            if there is None:
                continue
            if there.saldo is not None and tables.saldos[producto][there.version] != there.saldo:
                raise Violation("a balance that PostgreSQL never had under this version")
            if tables.precios[producto][there.catalogo_version] != there.precio:
                raise Violation("a price that PostgreSQL never had under this version")
        for hold in seen.holds.values():
            for product in hold.products:
                asked = product.catalogo_version
                if asked and tables.precios[product.producto_id][asked] != product.precio_centavos:
                    raise Violation("held at a price that never was")

    def _versions_do_not_go_back(self, seen: Seen) -> None:
        for producto, there in seen.stock.items():
            if there is None:
                continue
            before = self.versions.get(producto, (0, 0))
            now = (there.version, there.catalogo_version)
            if now[0] < before[0] or now[1] < before[1]:
                raise Violation("a version went back")
            self.versions[producto] = now

    def _what_is_in_flight_is_held(self, seen: Mapping[UUID, Seen]) -> None:
        for sale in self.world.in_flight():
            there = seen[sale.tienda_id]
            if there.epoch != sale.epoch or not self.world.postgres.tables[sale.tienda_id].needs_hold(sale.venta_id):
                continue
            hold = there.holds.get(sale.venta_id)
            if hold is None or hold.huella != sale.huella:
                raise Violation("queued without a hold")
            if {p.producto_id: p.cantidad_milli for p in hold.products} != quantities(sale):
                raise Violation("another cart is held than is queued")


def check_at_rest(world: World) -> None:
    """Nothing is in flight any more: Redis is PostgreSQL, and everybody was told the truth."""
    seen = world.server.look()
    for tienda, tables in world.postgres.tables.items():
        _redis_is_postgresql(tables, seen[tienda])
    if open_failures(world):
        raise Violation("a failed sale can never be written")
    for (tienda, venta), status in world.told.items():
        tables = world.postgres.tables[tienda]
        written = venta in tables.sales
        if status == 201 and not written and venta not in tables.tombstones():
            raise Violation("told 201, not persisted")
        if status == 503 and written:
            raise Violation("told 503, persisted")


def _redis_is_postgresql(tables: Tables, seen: Seen) -> None:
    if seen.epoch != tables.epoch:
        raise Violation("not armed in the epoch of PostgreSQL")
    if seen.holds:
        raise Violation("a hold is left over")
    for producto, stock in seen.stock.items():
        if stock is None or stock.reservado != 0:
            raise Violation("stock is held for nobody")
        if (stock.saldo, stock.version) != tables.balance(producto):
            raise Violation("Redis drifted from PostgreSQL")
