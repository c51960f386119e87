"""One row's scene: tiendas with scarce stock, customers, a warmup with stale reads; and how it comes to rest."""

import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Literal, TypeVar
from uuid import UUID, uuid4

from django.db import InterfaceError, OperationalError, connection
from redis.exceptions import RedisError

from blend_pos.tiendas.models import Tienda
from cache_stock import carrying, intake, journal, keys, reservation, rows, scripts
from cache_stock.operations import Operation
from cache_stock.scripts import StockError
from inventario.catalogo import NewProduct
from inventario.models import Producto, TipoMovimiento
from tests.faults.customers import Cart, Customers
from tests.faults.ground import Ground
from tests.faults.mortal_totals import PRECIO
from tests.pipeline.rabbit import FAILED, SALES
from tests.pipeline.shop import Shop, open_shop
from tests.polling import poll
from ventas.models import EstadoFalla, MotivoFalla, Venta, VentaFallida

Size = Literal["smoke", "test", "faults", "long"]
Option = TypeVar("Option")

TIENDAS = 2
HELD_REQUESTS = ("P1", "P2", "P4")  # elsewhere no request is held, or none that waits without an end
AMPLE, SCARCE = 5_000, 12
PRODUCTS = 6
NEARLY_SOLD_OUT = 2
REST_S = 60.0
STALE_S = 0.4
TESTED_OVERLOAD_S, OVERLOAD_S = 20.0, 300.0
IN_FLIGHT = 100
SIZES_IN_FLIGHT = {"smoke": 10, "test": 50}
BEFORE, AFTER = 4, 4  # sales that were promised before it breaks, and after it has healed
PATIENCE = 5.0  # of the smoke test: it runs beside others, on machines that are busy


@dataclass(slots=True)
class Scene:
    """What a row breaks, and who buys meanwhile. `unwell`: when the web server owed nobody an answer."""

    ground: Ground
    shops: list[Shop]
    customers: Customers
    draw: random.Random
    size: Size = "smoke"
    number: int = 0  # of the injection
    points: int = 1
    unwell: list[tuple[float, float]] = field(default_factory=list)
    to_fail: set[UUID] = field(default_factory=set)  # sales that nobody can write
    marks: list[str] = field(default_factory=list)  # of bodies that are no sales
    held: list[float] = field(default_factory=list)  # moments at which a request was held at its point
    notes: list[str] = field(default_factory=list)
    afterwards: ExitStack = field(default_factory=ExitStack)  # what is to be done when the case has healed

    @property
    def long(self) -> bool:
        return self.size == "long"

    @property
    def patience(self) -> float:
        """Times that a bound is stretched."""
        return PATIENCE if self.size == "smoke" else 1.0

    @property
    def overload_s(self) -> float:
        return OVERLOAD_S if self.size in {"faults", "long"} else TESTED_OVERLOAD_S

    @property
    def behind(self) -> int:
        """How many sales are in flight when a worker dies."""
        return SIZES_IN_FLIGHT.get(self.size, IN_FLIGHT)

    def turn(self, options: Sequence[Option]) -> Option:
        """Each of them in its turn, at each point."""
        return options[(self.number + self.number // self.points) % len(options)]

    def written(self) -> int:
        """How many sales are, in all of the scene's tiendas."""
        return Venta.objects.filter(tienda__in=[shop.tienda_id for shop in self.shops]).count()

    def armed(self) -> bool:
        """Whether every tienda is, with the epoch that PostgreSQL has: an old master believes in its own."""
        tiendas = [shop.tienda_id for shop in self.shops]
        try:
            armed = reservation.armed_epochs(tiendas=tiendas)
            return armed == dict(Tienda.objects.filter(pk__in=tiendas).values_list("pk", "epoch"))
        except (StockError, OperationalError, InterfaceError):
            connection.close()
            return False

    def live_holds(self, shop: Shop) -> set[UUID]:
        """The holds that are not a failed sale's."""
        return {venta for venta, score in shop.holds().items() if score != float("inf")}

    def forget_answer(self, cart: Cart) -> None:
        """As after the time that answers are kept."""
        scripts.delete(key=keys.answer(cart.shop.tienda_id, cart.key))

    @contextmanager
    def web_is_unwell(self) -> Iterator[None]:
        """It is killed or frozen as long as the block runs."""
        began = time.monotonic()
        try:
            yield
        finally:
            self.unwell.append((began, time.monotonic()))

    def shop(self) -> Shop:
        """One of the tiendas."""
        return self.draw.choice(self.shops)

    def at(self, point: str, act: Callable[[], None]) -> None:
        """Act while a process is held at this point."""

        def acting() -> None:
            if point in HELD_REQUESTS:
                self.held.append(time.monotonic())
            act()

        with self.coming_to(point):
            self.ground.orders.held(point, acting)

    @contextmanager
    def coming_to(self, point: str) -> Iterator[None]:
        """See that a process comes to a point that sales alone do not reach."""
        if point == "P9":
            till = self.customers.till(self.shop(), rol="encargado")
            warming = threading.Thread(target=_quietly, args=(lambda: till.call("POST", "cache/warmup"),))
            warming.start()
            yield
            warming.join()
        else:
            if point == "P10":
                for shop in self.shops:  # as where Redis lost something
                    journal.disarm(tienda_id=shop.tienda_id)
            yield

    def restock(self) -> None:
        """What is nearly sold out has a few again; of the rest there is enough in the longest row."""
        for shop in self.shops:
            stock = dict(Producto.objects.filter(tienda_id=shop.tienda_id).values_list("pk", "stock_actual"))
            for number, producto in enumerate(shop.products):
                most, least = (SCARCE, SCARCE) if number < NEARLY_SOLD_OUT else (AMPLE, AMPLE / 2)
                if stock[producto] < least:
                    intake.receive_stock(operation=_purchase(shop, producto, int((most - stock[producto]) * 1000)))

    def come_to_rest(self) -> None:
        """Wait until nothing is on its way: every hold is a failed sale's, the queues are empty, all is armed."""
        if not poll(self._at_rest, timeout_s=REST_S):
            held = {venta for shop in self.shops for venta in self.live_holds(shop)}
            raise AssertionError(f"I8 no rest within {REST_S:.0f} s: held {held}, kept nowhere {self.unkept()}")

    def _at_rest(self) -> bool:
        host = self.ground.host
        try:
            settled = all(shop.is_armed() and not self.live_holds(shop) for shop in self.shops)
        except (StockError, RedisError):
            return False
        return settled and host.ready(SALES) == 0 and host.ready(FAILED) == 0 and not self.unkept()

    def unkept(self) -> list[str]:
        """What is to be a VentaFallida, and is none yet: sales, and bodies that are no sales."""
        failed = VentaFallida.objects.exclude(estado=EstadoFalla.PERSISTIDA)
        fallidas = set(failed.filter(venta_id__in=self.to_fail).values_list("venta_id", flat=True))
        kept = VentaFallida.objects.filter(motivo=MotivoFalla.ILEGIBLE)
        found = [mark for mark in self.marks if not kept.filter(cuerpo__contains=mark).exists()]
        return found + [str(venta) for venta in self.to_fail - fallidas]


def _quietly(act: Callable[[], object]) -> None:
    """What is killed under a request answers nothing."""
    try:
        act()
    except Exception:  # noqa: BLE001 - whatever the client library makes of a dead server
        return


def _purchase(shop: Shop, producto: object, milli: int) -> Operation:
    return Operation(
        tienda_id=shop.tienda_id,
        operacion=uuid4(),
        tipo=TipoMovimiento.COMPRA,
        quantities={producto: milli},  # type: ignore[dict-item]
        motivo="se acaba",
        usuario_id=None,
        fecha=datetime.now(UTC),
    )


def open_scene(ground: Ground, *, seed: str, size: Size, points: int) -> Scene:
    """Tiendas of its own; those of earlier rows are closed, so that no cold start has to load them."""
    Tienda.objects.update(is_active=False)
    shops = [open_shop(catalogue=_catalogue(), terminals=2) for _ in range(TIENDAS)]
    return Scene(ground, shops, Customers(shops, ground.url, seed), random.Random(seed), size, points=points)


def _catalogue() -> Sequence[NewProduct]:
    made = sorted(uuid4() for _ in range(PRODUCTS))
    return [
        NewProduct(
            id=producto,
            sku=f"sku-{number}",
            nombre=f"Producto {number}",
            precio=PRECIO,
            stock_inicial=Decimal(SCARCE if number < NEARLY_SOLD_OUT else AMPLE),
        )
        for number, producto in enumerate(made)
    ]


@contextmanager
def stale_warmups(scene: Scene) -> Iterator[None]:
    """Warmups that read PostgreSQL and write to Redis what they read a while ago, one after another."""
    stop = threading.Event()

    def warm() -> None:
        draw = random.Random(scene.customers.seed)
        try:
            while not stop.wait(draw.random() * STALE_S):
                shop = draw.choice(scene.shops)
                try:
                    for page in rows.pages(tienda_id=shop.tienda_id):
                        stop.wait(draw.random() * STALE_S)
                        carrying.carry_rows(tienda_id=shop.tienda_id, rows=page, now_ms=int(time.time() * 1000))
                except (StockError, carrying.ColdStartNeeded, OperationalError, InterfaceError):
                    connection.close()
        finally:
            connection.close()

    thread = threading.Thread(target=warm)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
