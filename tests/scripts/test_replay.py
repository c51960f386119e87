"""A small file of baskets through the real pipeline: web, worker, PostgreSQL, Redis and RabbitMQ."""

import json
import random
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from http import HTTPStatus
from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID

import pytest
from django_redis import get_redis_connection

from cache_stock import keys
from scripts import processes
from scripts.replay.baskets import Basket, BasketFile, make_catalogue, read_file
from scripts.replay.evidence import Witness
from scripts.replay.identity import Sold, find_drift
from scripts.replay.report import complaints, figures, table
from scripts.replay.selling import replay, settle_unknown
from scripts.replay.shop import Shop, ShopNotOpen, make_orders, open_shop
from scripts.replay.stack import Stack
from scripts.replay.tills import Reply, sell_all
from scripts.services import Services
from tests.spawning import Spawner, Web

BASKETS = 200
NAMES = ["pan", "leche entera", "café (molido)", "jabón", "té", "huevo", "queso/panela", "arroz", "sal", "azúcar"]
TILLS = 4


@pytest.fixture
def baskets(tmp_path: Path) -> Path:
    """200 baskets, with what a real file has: a name twice, blanks, a last line without an end."""
    shuffled = random.Random(1)
    lines = [",".join(shuffled.sample(NAMES, shuffled.randint(1, 6))) for _ in range(BASKETS - 2)]
    path = tmp_path / "baskets.csv"
    path.write_text("\n".join(["pan,leche entera,pan", " sal , ,té,", "", *lines]), encoding="utf-8")
    return path


@pytest.fixture
def web(spawn: Spawner) -> Web:
    return spawn.web(blocking_threads=TILLS)


@pytest.fixture
def stack(web: Web, process_environment: dict[str, str]) -> Stack:
    """The running product; its worker is for each test to start."""
    web.wait_ready()
    return Stack(web.url, process_environment)


@pytest.fixture
def shop(stack: Stack, baskets: Path) -> Iterator[Shop]:
    catalogue = make_catalogue(demand=read_file(baskets).demand())
    shop = open_shop(file=baskets, catalogue=catalogue, tills=TILLS, stack=stack)
    yield shop
    shop.close()


def witness_of(stack: Stack, tienda_id: UUID) -> Witness:
    return Witness(
        database_url=stack.settings["DATABASE_URL"], redis_url=stack.settings["REDIS_URL"], tienda_id=tienda_id
    )


@pytest.mark.timeout(180)
def test_every_basket_is_sold_and_everything_adds_up(shop: Shop, stack: Stack, spawn: Spawner, baskets: Path) -> None:
    spawn.worker().wait_ready()
    file = read_file(baskets)

    done = replay(file=file, shop=shop, stack=stack, rate=None, ample=True)

    lines = sum(len(basket.lines) for basket in file.baskets)
    ten = figures(done)
    assert complaints(done) == []
    assert done.exact
    assert [ten[name] for name in ("baskets", "accepted", "refused", "persisted", "lines", "drift")] == [
        BASKETS,
        BASKETS,
        0,
        BASKETS,
        lines,
        0,
    ]
    assert 0 < ten["p50_ms"] <= ten["p95_ms"] <= ten["p99_ms"]
    assert ten["persist_p95_ms"] > 0
    assert f"{len(NAMES)} of {len(NAMES)} products" in table(done)
    assert_one_unit_too_many_in_redis_is_seen(shop, stack, file)


def assert_one_unit_too_many_in_redis_is_seen(shop: Shop, stack: Stack, file: BasketFile) -> None:
    wrong = shop.catalogue[3]
    get_redis_connection("stock").hincrby(keys.stock(shop.tienda_id, wrong.id), "saldo", 1)
    with witness_of(stack, shop.tienda_id) as witness:
        drift = find_drift(catalogue=shop.catalogue, sold=Sold(accepted=file.baskets), evidence=witness.gather())
    assert list(drift) == [wrong.nombre]


@pytest.mark.timeout(180)
def test_scarce_stock_is_refused_honestly_and_the_last_line_is_json(
    web: Web, stack: Stack, spawn: Spawner, baskets: Path
) -> None:
    spawn.worker().wait_ready()
    program = [processes.PYTHON, "-m", "scripts.replay", f"--port={web.port}", f"--tills={TILLS}", "--stock=20"]

    done = subprocess.run(
        [*program, str(baskets)],
        env=dict(stack.settings),
        cwd=processes.ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    ten = json.loads(done.stdout.splitlines()[-1])
    assert list(ten) == [
        "baskets",
        "accepted",
        "refused",
        "persisted",
        "lines",
        "p50_ms",
        "p95_ms",
        "p99_ms",
        "persist_p95_ms",
        "drift",
    ]
    assert ten["baskets"] == BASKETS == ten["accepted"] + ten["refused"]
    assert ten["persisted"] == ten["accepted"]
    assert ten["drift"] == 0
    assert ten["lines"] <= 20 * len(NAMES)
    assert ten["refused"] > 100
    assert "400 stock_insuficiente" in done.stdout


@pytest.mark.timeout(180)
def test_what_was_answered_202_is_followed_to_its_end(shop: Shop, stack: Stack, spawn: Spawner) -> None:
    baskets = [Basket((("pan", 1),)), Basket((("té", 2),)), Basket((("sal", 1),))]
    orders = make_orders(shop, baskets)
    sold = sell_all(orders=orders[:2], tills=shop.tills, on_reply=lambda _reply: None)
    assert [reply.status for reply in sold] == [HTTPStatus.CREATED] * 2
    spawn.worker()
    unknown = Reply(status=HTTPStatus.ACCEPTED, codigo="", total_centavos=None, answered_ms=5, retries=0)
    replies = [unknown, replace(unknown), replace(unknown)]  # the third was never held: it is nowhere

    with witness_of(stack, shop.tienda_id) as witness:
        assert witness.wait_for_rest(on_progress=lambda _persisted: None)
        settle_unknown(replies=replies, orders=orders, shop=shop, witness=witness)
        evidence = witness.gather()

    assert [reply.status for reply in replies] == [202, 202, 201]
    assert [reply.answered_ms for reply in replies] == [5, 5, 5]
    assert evidence.persisted == 3
    assert find_drift(catalogue=shop.catalogue, sold=Sold(accepted=baskets), evidence=evidence) == {}


@pytest.mark.timeout(180)
def test_without_a_worker_it_says_that_nothing_is_persisted(
    shop: Shop, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scripts.replay.evidence.STUCK_S", 0.5)
    sell_all(orders=make_orders(shop, [Basket((("pan", 1),))]), tills=shop.tills, on_reply=lambda _reply: None)

    with witness_of(stack, shop.tienda_id) as witness:
        assert not witness.wait_for_rest(on_progress=lambda _persisted: None)
        assert (witness.live_holds(), witness.persisted()) == (1, 0)


def test_what_answers_and_is_not_this_product_is_recognized(
    services: Services, process_environment: dict[str, str], baskets: Path
) -> None:
    other = Stack(f"http://127.0.0.1:{urlsplit(services.rabbit.management_url).port}", process_environment)

    with pytest.raises(ShopNotOpen, match="is it the web server"):
        open_shop(file=baskets, catalogue=make_catalogue(demand={"pan": 1}), tills=1, stack=other)
