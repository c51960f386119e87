"""The client of a Redis Cluster: where a command goes, how often, and how long it may take."""

import time
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import pytest
from django.conf import settings
from pytest_django import Settings

from cache_stock import figures, journal, keys, scripts
from cache_stock.cluster import NoTienda, key_of, seeds
from tests.pipeline.messages import hold
from tests.pipeline.shop import Shop
from tests.scaling.redis_nodes import NODES, Nodes
from ventas import recovery

pytestmark = pytest.mark.usefixtures("nodes")
FIELD = "visto"


def tienda_on(nodes: Nodes, number: int) -> UUID:
    """An id whose keys that node has."""
    while nodes.of(tienda := uuid4()) is not nodes.each[number]:
        pass
    return tienda


@pytest.fixture
def tiendas(nodes: Nodes) -> list[UUID]:
    """One on each node."""
    return [tienda_on(nodes, number) for number in range(NODES)]


def visits(tienda: UUID) -> object:
    """Count one more, in one command that shows how often it ran."""
    return scripts.stock_client().hincrby(keys.meta(tienda), FIELD, 1)


@pytest.mark.parametrize(
    ("command", "key"),
    [
        (["HGET", "meta:{a}", "x"], "meta:{a}"),
        (["EVALSHA", "sha", 2, "meta:{a}", "stock:{a}:b"], "meta:{a}"),
        (["SCAN", 0, "MATCH", "respuesta:{a}:*", "COUNT", 5], "respuesta:{a}:*"),
    ],
)
def test_the_key_of_a_command(command: Sequence[object], key: str) -> None:
    assert key_of(command) == key


@pytest.mark.parametrize("command", [["INFO", "memory"], ["FLUSHALL"], ["GET", "no-tag"]])
def test_what_names_no_tienda_is_refused(command: Sequence[str]) -> None:
    client: Any = scripts.stock_client()
    with pytest.raises(NoTienda):
        client.execute_command(*command)


def test_a_moved_slot_is_followed_and_run_once(nodes: Nodes, tiendas: list[UUID]) -> None:
    tienda = tiendas[0]
    assert visits(tienda) == 1
    nodes.move(tienda, to=nodes.each[1])

    assert visits(tienda) == 2
    pipe: Any = scripts.stock_client().pipeline(transaction=False)
    nodes.move(tienda, to=nodes.each[2])
    assert pipe.hget(keys.meta(tienda), FIELD).hincrby(keys.meta(tienda), FIELD, 1).execute() == ["2", 3]


def test_a_slot_between_two_nodes_is_refused(nodes: Nodes, tiendas: list[UUID]) -> None:
    """The field's key goes first; what was asked half-way was not run."""
    tienda = tiendas[0]
    visits(tienda)

    def refused() -> None:
        with pytest.raises(scripts.StockRefused):
            scripts.guarded(lambda: visits(tienda))

    nodes.move(tienda, to=nodes.each[1], half_way=refused)
    assert visits(tienda) == 2


def test_answers_of_several_nodes_come_in_order(tiendas: list[UUID]) -> None:
    for number, tienda in enumerate(tiendas):
        scripts.set_field(key=keys.meta(tienda), field=FIELD, value=str(number))
    mixed = [tiendas[2], tiendas[0], tiendas[1], tiendas[0]]
    pipe = scripts.stock_client().pipeline(transaction=False)
    for tienda in mixed:
        pipe.hget(keys.meta(tienda), FIELD)

    assert pipe.execute() == ["2", "0", "1", "0"]


def test_figures_are_of_the_tiendas_own_node(nodes: Nodes, tiendas: list[UUID]) -> None:
    filler = keys.answer(tiendas[1], uuid4())
    scripts.stock_client().set(filler, "x" * 8_000_000)
    memory = [figures.read_stats(tienda_id=tienda).memory_mb for tienda in tiendas]
    scripts.delete_prefixed(prefix=keys.answer_prefix(tiendas[1]))

    assert memory[1] > memory[0] + 5
    assert memory[1] > memory[2] + 5
    assert not scripts.exists(keys=[filler])


@pytest.mark.parametrize("lose", ["kill", "freeze"])
def test_one_node_away_is_left_out_in_time(nodes: Nodes, tiendas: list[UUID], lose: str) -> None:
    getattr(nodes.each[1], lose)()
    started = time.monotonic()

    seen = journal.survey(tiendas=tiendas, now_ms=0)

    assert [state.tienda_id for state in seen] == [tiendas[0], tiendas[2]]
    assert scripts.stock_client().ping()
    lost = scripts.StockRefused if lose == "kill" else scripts.StockError
    with pytest.raises(lost):
        scripts.exists(keys=[keys.meta(tiendas[1])])
    assert time.monotonic() - started < 4 * (settings.REDIS_CONNECT_TIMEOUT_S + settings.REDIS_REPLY_TIMEOUT_S)


def test_all_nodes_away_is_said(nodes: Nodes, tiendas: list[UUID]) -> None:
    for node in nodes.each:
        node.kill()
    with pytest.raises(scripts.StockRefused):
        journal.survey(tiendas=tiendas, now_ms=0)


def test_a_restarted_node_is_brought_the_script_again(nodes: Nodes, tiendas: list[UUID]) -> None:
    metas = [keys.meta(tienda) for tienda in tiendas]
    for meta in metas:
        assert scripts.check(keys=[meta]) == (None, [])
    nodes.each[1].ask("SCRIPT", "FLUSH")
    for meta in metas:
        assert scripts.check(keys=[meta]) == (None, [])
    assert scripts.check_each(metas=dict(zip(tiendas, metas, strict=True))) == dict.fromkeys(tiendas)


def test_holds_are_bounded_by_the_server(shops: list[Shop], settings: Settings) -> None:
    """The node that holds too many is braked, and no other."""
    tiendas, now_ms = [shop.tienda_id for shop in shops], int(time.time() * 1000)
    hold(shops[1], [(shops[1].products[0], 1_000)])

    for most, braked in ((0, [tiendas[1]]), (1_000, [])):
        settings.HOLDS_MAX_PER_SERVER = most
        recovery.sweep(now_ms=now_ms)
        seen = journal.survey(tiendas=tiendas, now_ms=now_ms)
        assert [state.tienda_id for state in seen if state.braked] == braked


def test_a_clusters_url_names_its_nodes() -> None:
    assert seeds(urlsplit("rediscluster://:secret@one:7000,[::1]:7001,three")) == [
        ("one", 7000),
        ("::1", 7001),
        ("three", 6379),
    ]
