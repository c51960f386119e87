"""One tienda as the stock's Redis has it, made and looked at through the commands themselves."""

from collections.abc import Mapping
from typing import Any, cast
from uuid import UUID, uuid4

from redis import Redis

from cache_stock import keys, reservation, scripts
from cache_stock.reservation import Balance, Hold, Persisted, SettledSale, Wanted

HUELLA = "a" * 64
OTHER_HUELLA = "b" * 64
TTL_S = 3600
NOW_MS = 1_000_000
SWEEP_AFTER_MS = 10_000
COUNTERS = frozenset({"aciertos", "fallos"})


class StockedTienda:
    """A tienda with an id of its own; `client` looks and spoils, the commands go through cache_stock."""

    def __init__(self, client: "Redis") -> None:
        self.client = client
        self.tienda_id = uuid4()
        self.meta = keys.meta(self.tienda_id)
        self.journal = keys.journal(self.tienda_id)
        self.loaded = keys.loaded(self.tienda_id)

    # --- putting it into a state
    def begin(self, token: str = "token", *, now_ms: int = NOW_MS, lease_ms: int = 1000) -> tuple[str, str] | None:
        return scripts.begin(keys=[self.meta], arguments=[token, now_ms, lease_ms])

    def identity(self) -> tuple[str, str]:
        """This server's run_id and master_replid."""
        return str(self.client.info("server")["run_id"]), str(self.client.info("replication")["master_replid"])

    def arm(self, *, epoch: int = 1, timeline: str = "") -> None:
        identity = self.begin()
        assert identity is not None
        assert scripts.arm(keys=[self.meta], arguments=["token", *identity, epoch, timeline])

    def claim(self, token: str = "token") -> list[str]:
        """Disarm it and begin a cold start: what its further commands are told first."""
        self.disarm()
        identity = self.begin(token)
        assert identity is not None
        return [token, *identity]

    def disarm(self) -> None:
        """As if another server had been armed."""
        self.client.hset(self.meta, "run_id", "0" * 40)

    @property
    def epoch(self) -> int:
        """What it was armed with."""
        return int(str(self.client.hget(self.meta, "epoch")))

    def armed(self) -> bool:
        return reservation.armed_epochs(tiendas=[self.tienda_id])[self.tienda_id] is not None

    def warm(
        self,
        producto: UUID,
        *,
        saldo: int,
        version: int = 1,
        precio: int = 1050,
        impuesto: int = 1600,
        activo: bool = True,
        catalogo_version: int = 1,
        now_ms: int = NOW_MS,
    ) -> tuple[int, int] | None:
        row: list[str | int] = [str(producto), saldo, version, precio, impuesto, int(activo), catalogo_version]
        return scripts.warmup(keys=[self.meta, self.loaded, self.stock_key(producto)], arguments=[now_ms, *row])

    def product(self, *, saldo: int, **catalogue: Any) -> UUID:
        """A new warm product."""
        producto = uuid4()
        assert self.warm(producto, saldo=saldo, **catalogue) == (1, 0)
        return producto

    def reserve(
        self,
        wanted: Mapping[UUID, int],
        *,
        venta_id: UUID | None = None,
        huella: str = HUELLA,
        nonce: str = "nonce",
        pedido: str = "pedido",
        expected: Mapping[UUID, str] | None = None,
        most_holds: int = 100,
        only_active: bool = True,
        now_ms: int = NOW_MS,
    ) -> Hold | Persisted:
        return reservation.reserve(
            tienda_id=self.tienda_id,
            venta_id=venta_id or uuid4(),
            huella=huella,
            nonce=nonce,
            wanted=[Wanted(producto, n, (expected or {}).get(producto, "")) for producto, n in wanted.items()],
            pedido=pedido,
            now_ms=now_ms,
            sweep_after_ms=SWEEP_AFTER_MS,
            most_holds=most_holds,
            only_active=only_active,
        )

    def held(self, wanted: Mapping[UUID, int], **more: Any) -> UUID:
        """A sale with a hold."""
        venta_id = uuid4()
        hold = self.reserve(wanted, venta_id=venta_id, **more)
        assert isinstance(hold, Hold)
        assert hold.created
        return venta_id

    def release(self, venta_id: UUID, *, nonce: str = "nonce") -> bool:
        return reservation.release(tienda_id=self.tienda_id, venta_id=venta_id, nonce=nonce)

    def settle(
        self,
        *ventas: UUID,
        huella: str = HUELLA,
        answer: str = "",
        balances: Mapping[UUID, tuple[int, int]] | None = None,
        timeline: str = "",
        epoch: int = 0,
    ) -> tuple[int, bool]:
        """`balances`: producto -> saldo, version."""
        return reservation.settle(
            tienda_id=self.tienda_id,
            sales=[SettledSale(venta_id, huella, answer) for venta_id in ventas],
            balances=[Balance(producto, saldo, version) for producto, (saldo, version) in (balances or {}).items()],
            answer_ttl_s=TTL_S,
            timeline=timeline,
            epoch=epoch,
        )

    def flush(self, *productos: UUID) -> int:
        return scripts.flush(keys=[self.loaded, *map(self.stock_key, productos)], arguments=[str(p) for p in productos])

    def lose(self, producto: UUID) -> None:
        """Its hash is gone, whoever took it."""
        assert self.client.delete(self.stock_key(producto)) == 1

    # --- looking
    def stock_key(self, producto: UUID) -> str:
        return keys.stock(self.tienda_id, producto)

    def hold_key(self, venta_id: UUID) -> str:
        return keys.hold(self.tienda_id, venta_id)

    def answer_key(self, venta_id: UUID) -> str:
        return keys.answer(self.tienda_id, venta_id)

    def stock(self, producto: UUID) -> dict[str, str]:
        return cast("dict[str, str]", self.client.hgetall(self.stock_key(producto)))

    def reservado(self, *productos: UUID) -> list[int]:
        return [int(self.stock(producto)["reservado"]) for producto in productos]

    def hold(self, venta_id: UUID) -> dict[str, str]:
        return cast("dict[str, str]", self.client.hgetall(self.hold_key(venta_id)))

    def holds(self) -> dict[str, float]:
        """The journal's index."""
        return dict(cast("list[tuple[str, float]]", self.client.zrange(self.journal, 0, -1, withscores=True)))

    def dump(self, *, counters: bool = False) -> dict[str, Any]:
        """Everything that Redis has of the tienda; the counters of look-ups only where asked for."""
        found: dict[str, Any] = {}
        for key in self.client.scan_iter(match=f"*{{{self.tienda_id}}}*", count=1000):
            kind = self.client.type(key)
            if kind == "hash":
                found[key] = self.client.hgetall(key)
            elif kind == "zset":
                found[key] = self.client.zrange(key, 0, -1, withscores=True)
            else:
                found[key] = self.client.get(key)
        if not counters:
            found[self.meta] = {k: v for k, v in found.get(self.meta, {}).items() if k not in COUNTERS}
        return found


def change_identity(client: "Redis") -> None:
    """The server becomes another one, as after a failover; it must allow DEBUG."""
    client.execute_command("DEBUG", "CHANGE-REPL-ID")  # type: ignore[no-untyped-call]  # redis-py leaves it untyped
