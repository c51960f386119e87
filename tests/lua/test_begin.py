"""begin.lua: one cold start at a time claims a tienda that is not armed."""

import redis

from tests.lua.stocked import NOW_MS, StockedTienda

LEASE_MS = 1000


def test_the_holder_of_the_token_learns_which_server_this_is(tienda: StockedTienda) -> None:
    tienda.disarm()

    assert tienda.begin("mine") == tienda.identity()

    assert tienda.client.hmget(tienda.meta, "token", "lease") == ["mine", str(NOW_MS + LEASE_MS)]


def test_an_armed_tienda_is_not_claimed(tienda: StockedTienda) -> None:
    before = tienda.dump(counters=True)

    assert tienda.begin("mine") is None

    assert tienda.dump(counters=True) == before


def test_another_is_refused_while_the_lease_lives(tienda: StockedTienda) -> None:
    tienda.disarm()
    tienda.begin("mine", lease_ms=LEASE_MS)
    before = tienda.dump(counters=True)

    assert tienda.begin("another", now_ms=NOW_MS + LEASE_MS - 1) is None

    assert tienda.dump(counters=True) == before


def test_another_takes_over_when_the_lease_is_over(tienda: StockedTienda) -> None:
    tienda.disarm()
    tienda.begin("mine", lease_ms=LEASE_MS)

    assert tienda.begin("another", now_ms=NOW_MS + LEASE_MS) == tienda.identity()

    assert tienda.begin("mine", now_ms=NOW_MS + LEASE_MS) is None


def test_a_lease_by_a_clock_that_was_ahead_keeps_nobody_out(tienda: StockedTienda) -> None:
    """Its holder died, and the clock was put right."""
    tienda.disarm()
    tienda.begin("mine", now_ms=NOW_MS + 3_600_000, lease_ms=LEASE_MS)

    assert tienda.begin("another", now_ms=NOW_MS) == tienda.identity()


def test_the_longest_lease_that_there_is_keeps_others_out(tienda: StockedTienda) -> None:
    tienda.disarm()
    tienda.begin("mine", lease_ms=60_000)

    assert tienda.begin("another") is None


def test_calling_again_renews_the_lease(tienda: StockedTienda) -> None:
    tienda.disarm()
    tienda.begin("mine", lease_ms=LEASE_MS)

    assert tienda.begin("mine", now_ms=NOW_MS + LEASE_MS - 1, lease_ms=LEASE_MS) == tienda.identity()

    assert tienda.begin("another", now_ms=NOW_MS + LEASE_MS) is None


def test_claims_what_was_never_armed(tienda: StockedTienda) -> None:
    never = StockedTienda(tienda.client)

    assert never.begin("mine") == tienda.identity()


def test_runs_at_the_limit_of_memory(small_redis: "redis.Redis") -> None:
    """Else nothing could clear a full server that lost its arming."""
    tienda = StockedTienda(small_redis)
    small_redis.config_set("maxmemory", 1)

    assert tienda.begin("mine") == tienda.identity()
