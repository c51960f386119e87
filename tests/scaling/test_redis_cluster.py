"""Tiendas on the three nodes of a Redis Cluster: sold, moved, a node killed; each by itself, and nothing oversold."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from http import HTTPStatus
from pathlib import Path

from cache_stock import keys, reservation, scripts, vitals
from cache_stock.cluster import ClusterClient
from tests.pipeline.processes import Pipeline
from tests.pipeline.shop import Shop
from tests.pipeline.till import Sold, assert_created, by_status, wait_for_answers
from tests.pipeline.truth import assert_true_answers
from tests.polling import poll, wait_until
from tests.scaling.redis_nodes import Nodes
from ventas import reconcile, tasks
from ventas.golive import clocks, redis_server
from ventas.golive.findings import Asked, State

ARMED_S = 60.0
PARTS = (redis_server.part(), clocks.parts()[0])


@contextmanager
def all_selling(shops: Sequence[Shop], pipeline: Pipeline) -> Iterator[list[list[Sold]]]:
    """Two customers at a time in each tienda."""
    with ExitStack() as stack:
        yield [
            stack.enter_context(pipeline.till(shop).selling([[(producto, 1)] for producto in shop.products], at_once=2))
            for shop in shops
        ]


def arm(shop: Shop, pipeline: Pipeline) -> None:
    """Have maintenance look as beat does, until the tienda is armed."""

    def armed() -> bool:
        pipeline.host.run(tasks.cold_start_if_needed)
        return poll(shop.is_armed, timeout_s=2)

    wait_until(armed, timeout_s=ARMED_S, what="the tienda is armed")


def assert_sound(shops: Sequence[Shop], pipeline: Pipeline, sold: Sequence[Sequence[Sold]]) -> None:
    """What each was answered came true, and its reconciliation finds nothing."""
    for shop, its in zip(shops, sold, strict=True):
        shop.come_to_rest(pipeline.host)
        assert_true_answers(shop, pipeline.till(shop), its)
        assert reconcile.reconcile_tienda(tienda_id=shop.tienda_id, repair=False).differences == 0


def test_each_tienda_sells_from_its_node(pipeline: Pipeline, nodes: Nodes, shops: list[Shop]) -> None:
    with all_selling(shops, pipeline) as sold:
        for its in sold:
            wait_for_answers(its, 20)

    for its in sold:
        assert_created(its)
    assert_sound(shops, pipeline, sold)
    for node, shop in zip(nodes.each, shops, strict=True):
        assert node.ask("EXISTS", keys.meta(shop.tienda_id)) == 1
    epochs = {shop.tienda_id: 1 for shop in shops}
    assert reservation.seen_epochs(tiendas=epochs) == epochs  # of all nodes at once


def test_the_go_live_check_looks_at_each_node(nodes: Nodes, shops: list[Shop]) -> None:
    one = nodes.each[1]
    asked = Asked(workers=1, web_url="", metrics_url="")

    def states() -> dict[str, State]:
        return {check.key: check.look(asked).state for part in PARTS for check in part.checks}

    assert State.FAILED not in states().values()
    one.ask("CONFIG", "SET", "appendonly", "no")
    try:
        (aof,) = (check.look(asked) for part in PARTS for check in part.checks if check.key == "redis.aof")
        assert aof.state is State.FAILED
        assert f":{one.port}: " in aof.seen
    finally:
        one.ask("CONFIG", "SET", "appendonly", "yes")


LACKING = {
    "redis.aof": ("appendonly", "no", "yes"),
    "redis.eviction": ("maxmemory-policy", "allkeys-lru", "noeviction"),
}


def test_the_go_live_check_looks_at_what_would_take_over(nodes: Nodes, shops: list[Shop], tmp_path: Path) -> None:
    asked = Asked(workers=1, web_url="", metrics_url="")
    looks = {check.key: check.look for check in PARTS[0].checks if check.key in LACKING}
    with nodes.replica(nodes.each[2], folder=tmp_path) as replica:
        forget_the_map()
        wait_until(
            lambda: {look(asked).state for look in looks.values()} == {State.OK}, timeout_s=30, what="it is in step"
        )
        for key, (name, without, usual) in LACKING.items():
            replica.ask("CONFIG", "SET", name, without)
            found = looks[key](asked)
            replica.ask("CONFIG", "SET", name, usual)
            assert found.state is State.FAILED
            assert f":{replica.port}: " in found.seen
    forget_the_map()


def forget_the_map() -> None:
    """What this process knew of the cluster; a management command knows nothing yet."""
    client: object = scripts.stock_client()
    assert isinstance(client, ClusterClient)
    client.slots.doubt()


def test_metrics_count_each_node_and_go_on_without_one(nodes: Nodes, shops: list[Shop]) -> None:
    one = nodes.each[1]
    assert vitals.read_servers() == vitals.Servers()
    one.ask("CONFIG", "SET", "appendonly", "no")
    try:
        assert vitals.read_servers() == vitals.Servers(without_aof=1)
        one.freeze()
        assert vitals.read_servers() == vitals.Servers()
    finally:
        one.thaw()
        one.ask("CONFIG", "SET", "appendonly", "yes")


def test_a_slot_moves_in_mid_sale(pipeline: Pipeline, nodes: Nodes, shops: list[Shop]) -> None:
    """Its tienda is armed again where it is then; the others never hear of it."""
    moved, *others = shops

    def refused() -> None:
        wait_for_answers(sold[0], 4, status=HTTPStatus.SERVICE_UNAVAILABLE)

    with all_selling(shops, pipeline) as sold:
        wait_for_answers(sold[0], 20, status=HTTPStatus.CREATED)
        nodes.move(moved.tienda_id, to=nodes.of(others[0].tienda_id), half_way=refused)
        wait_for_answers(sold[0], 4, status=HTTPStatus.SERVICE_UNAVAILABLE)
        wait_for_answers(sold[1], 10)

    assert nodes.of(moved.tienda_id) is nodes.of(others[0].tienda_id)
    for its in sold[1:]:
        assert_created(its)
    assert not moved.is_armed()
    arm(moved, pipeline)
    later = pipeline.till(moved).sell_many([[(moved.products[0], 1)]] * 5)
    assert_created(later)
    assert_sound(shops, pipeline, [sold[0] + later, *sold[1:]])


def test_a_node_killed_stops_its_tiendas_alone(pipeline: Pipeline, nodes: Nodes, shops: list[Shop]) -> None:
    lost, *others = shops
    with all_selling(shops, pipeline) as sold:
        for its in sold:
            wait_for_answers(its, 10, status=HTTPStatus.CREATED)
        nodes.of(lost.tienda_id).kill()
        wait_for_answers(sold[0], 10, status=HTTPStatus.SERVICE_UNAVAILABLE)
        pipeline.host.run(tasks.sweep)
        for its in sold[1:]:
            wait_for_answers(its, 20, status=HTTPStatus.CREATED)

    for shop, its in zip(others, sold[1:], strict=True):
        assert_created(its)
        shop.come_to_rest(pipeline.host)  # swept, though one node is away
    nodes.start()
    assert by_status(pipeline.till(lost).sell_many([[(lost.products[0], 1)]] * 3)).keys() == {
        HTTPStatus.SERVICE_UNAVAILABLE
    }
    arm(lost, pipeline)
    later = pipeline.till(lost).sell_many([[(lost.products[0], 1)]] * 5)
    assert_created(later)
    assert_sound(shops, pipeline, [sold[0] + later, *sold[1:]])


def test_one_tienda_deleted_is_armed_while_a_node_is_away(pipeline: Pipeline, nodes: Nodes, shops: list[Shop]) -> None:
    away, emptied, _third = shops
    nodes.of(away.tienda_id).kill()
    scripts.delete(key=keys.meta(emptied.tienda_id))

    arm(emptied, pipeline)

    assert_created([pipeline.till(emptied).sell([(emptied.products[0], 1)])])
    emptied.come_to_rest(pipeline.host)
    emptied.assert_exact()
