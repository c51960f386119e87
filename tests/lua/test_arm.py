"""arm.lua: this server, in this epoch, may promise again. And: another server may not."""

import pytest
import redis

from cache_stock import reservation, scripts
from scripts.redis_server import Redis as Server
from tests.lua.cold_start_commands import Spoil, arm, refused_claim
from tests.lua.stocked import StockedTienda, change_identity


def test_arms_this_server_in_this_epoch(tienda: StockedTienda) -> None:
    claim = tienda.claim()
    tienda.client.hset(tienda.meta, mapping={"freno": "1", "wal": "7"})  # of the PostgreSQL of before

    assert arm(tienda, claim, epoch=8, timeline="77:0001")

    run_id, master_replid = tienda.identity()
    assert tienda.dump()[tienda.meta] == {
        "run_id": run_id,
        "master_replid": master_replid,
        "epoch": "8",
        "timeline": "77:0001",
    }
    assert reservation.armed_epochs(tiendas=[tienda.tienda_id]) == {tienda.tienda_id: 8}


@refused_claim
def test_refused_without_a_trace(tienda: StockedTienda, spoil: Spoil) -> None:
    claim = spoil(tienda, tienda.claim())
    before = tienda.dump(counters=True)

    assert not arm(tienda, claim)

    assert tienda.dump(counters=True) == before


def test_a_second_time_is_refused(tienda: StockedTienda) -> None:
    claim = tienda.claim()

    assert arm(tienda, claim, epoch=2)
    assert not arm(tienda, claim, epoch=3)

    assert reservation.armed_epochs(tiendas=[tienda.tienda_id]) == {tienda.tienda_id: 2}


def test_counts_of_look_ups_survive(tienda: StockedTienda) -> None:
    tienda.held({tienda.product(saldo=5000): 1})

    assert arm(tienda, tienda.claim())

    assert tienda.client.hget(tienda.meta, "aciertos") == "1"


def test_runs_at_the_limit_of_memory(small_redis: "redis.Redis") -> None:
    tienda = StockedTienda(small_redis)
    claim = tienda.claim()
    small_redis.config_set("maxmemory", 1)

    assert arm(tienda, claim)


def test_a_failover_disarms(own_redis: "redis.Redis") -> None:
    tienda = StockedTienda(own_redis)
    tienda.arm()
    bread = tienda.product(saldo=5000)

    change_identity(own_redis)

    with pytest.raises(reservation.NotArmed):
        tienda.reserve({bread: 1})


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_a_restart_disarms_and_keeps_the_data(restartable: Server, monkeypatch: pytest.MonkeyPatch, end: str) -> None:
    """Even where nothing was lost: nobody can know."""
    client = redis.Redis.from_url(restartable.url, decode_responses=True, protocol=2)
    monkeypatch.setattr(scripts, "stock_client", lambda: client)
    tienda = StockedTienda(client)
    tienda.arm()
    bread = tienda.product(saldo=5000)
    venta_id = tienda.held({bread: 1000})
    before = tienda.dump()

    getattr(restartable, end)()
    restartable.start()

    assert tienda.dump() == before
    with pytest.raises(reservation.NotArmed):
        tienda.reserve({bread: 1})
    assert not tienda.release(venta_id)
    assert tienda.begin("cold start") == tienda.identity()
