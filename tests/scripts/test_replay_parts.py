"""The parts of a replay that need no server: reading, percentiles, the identity, the till's manners."""

import json
import uuid
from collections import Counter
from collections.abc import Iterator
from dataclasses import fields, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, ClassVar

import pytest

from scripts.replay.baskets import UNIT_MILLI, Basket, Product, UnusableFile, make_catalogue, read_baskets, read_file
from scripts.replay.identity import Evidence, ProductEvidence, Sold, count_fillable, find_drift, find_faults
from scripts.replay.report import percentile
from scripts.replay.tills import NO_REPLY, Order, Reply, Till, sell_all


def test_a_line_is_a_basket_of_units() -> None:
    file = read_baskets(["bread,milk\n", "milk , bread,milk\n", "a (b\n"])

    assert file.baskets == (
        Basket((("bread", 1), ("milk", 1))),
        Basket((("milk", 2), ("bread", 1))),
        Basket((("a (b", 1),)),
    )
    assert file.demand() == Counter({"milk": 3, "bread": 2, "a (b": 1})


def test_blank_names_are_left_out_and_counted() -> None:
    file = read_baskets([",milk,, bread\n", "\n", "  \n", ",\n"])

    assert file.baskets == (Basket((("milk", 1), ("bread", 1))),)
    assert (file.blank_names, file.blank_lines) == (4, 3)


@pytest.mark.parametrize("lines", [[], ["\n", " , \n"], ["x" * 201]])
def test_what_cannot_be_sold_is_said(lines: list[str]) -> None:
    with pytest.raises(UnusableFile):
        read_baskets(lines)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    binary = tmp_path / "baskets.csv"
    binary.write_bytes(b"caf\xe9\n")

    for path in (binary, tmp_path / "none.csv", tmp_path):
        with pytest.raises(UnusableFile, match=str(path)):
            read_file(path)


def test_ample_is_twice_what_the_file_asks_for() -> None:
    demand = Counter({"milk": 3, "bread": 2})

    ample = {product.nombre: product.stock_milli for product in make_catalogue(demand=demand)}
    scarce = {product.nombre: product.stock_milli for product in make_catalogue(demand=demand, stock_units=0)}

    assert ample == {"milk": 6000, "bread": 4000}
    assert scarce == {"milk": 0, "bread": 0}


def test_prices_are_the_same_in_each_run_and_nothing_is_named_twice() -> None:
    demand = Counter(f"product {number}" for number in range(300))

    first, second = make_catalogue(demand=demand), make_catalogue(demand=demand)

    assert [product.precio_centavos for product in first] == [product.precio_centavos for product in second]
    assert all(product.precio_centavos > 0 for product in first)
    for value in ("id", "sku", "codigo_barras"):
        assert len({getattr(product, value) for product in first}) == 300


def test_percentiles_are_values_that_were_seen() -> None:
    values = [float(value) for value in range(100, 0, -1)]

    assert [percentile(values, percent) for percent in (50, 95, 99, 100)] == [50, 95, 99, 100]
    assert percentile([7.0], 50) == percentile([7.0], 99) == 7
    assert percentile([1.0, 2.0], 50) == 1
    assert percentile([1.0, 2.0, 3.0], 50) == 2
    assert percentile([], 99) == 0


MILK = Product(uuid.uuid4(), "R-1", "", "milk", 1000, 0, 10 * UNIT_MILLI)
BREAD = Product(uuid.uuid4(), "R-2", "", "bread", 500, 0, 4 * UNIT_MILLI)
CATALOGUE = [MILK, BREAD]
SOLD = Sold(accepted=[Basket((("milk", 2), ("bread", 1))), Basket((("milk", 1),))])
SOLD_CENTAVOS = 3500


def evidence_of(stock: int, *, sold: int, version: int) -> ProductEvidence:
    return ProductEvidence(
        stock_actual=stock,
        version=version,
        ledger_rows=version,
        ledger_delta=stock,
        ledger_last_saldo=stock,
        ledger_last_version=version,
        breaks=0,
        ledger_sold=sold,
        detalle_cantidad=sold,
        redis_saldo=stock,
        redis_reservado=0,
        redis_version=version,
    )


EXACT = Evidence(
    products={MILK.id: evidence_of(7000, sold=3000, version=3), BREAD.id: evidence_of(3000, sold=1000, version=2)},
    persisted=2,
    lines=3,
    total_centavos=SOLD_CENTAVOS,
    open_failures=0,
    live_holds=0,
    persist_p50_ms=1.0,
    persist_p95_ms=2.0,
)


def faults(evidence: Evidence, *, sold: Sold = SOLD, ample: bool = True, wrong_totals: int = 0) -> list[str]:
    return find_faults(
        sold=sold,
        total_centavos=SOLD_CENTAVOS,
        wrong_totals=wrong_totals,
        catalogue=CATALOGUE,
        evidence=evidence,
        ample=ample,
    )


def test_what_adds_up_has_no_drift_and_no_fault() -> None:
    assert find_drift(catalogue=CATALOGUE, sold=SOLD, evidence=EXACT) == {}
    assert faults(EXACT) == []


@pytest.mark.parametrize("name", [field.name for field in fields(ProductEvidence)])
@pytest.mark.parametrize("off", [1, -1])
def test_one_number_that_is_off_is_drift_of_that_product(name: str, off: int) -> None:
    milk = EXACT.products[MILK.id]
    milk = replace(milk, **{name: getattr(milk, name) + off})

    drift = find_drift(
        catalogue=CATALOGUE, sold=SOLD, evidence=replace(EXACT, products={**EXACT.products, MILK.id: milk})
    )

    assert list(drift) == ["milk"]


@pytest.mark.parametrize("name", ["redis_saldo", "redis_reservado", "redis_version", "ledger_delta"])
def test_a_number_that_is_not_there_is_drift(name: str) -> None:
    nothing: dict[str, Any] = {name: None}
    milk = replace(EXACT.products[MILK.id], **nothing)

    drift = find_drift(
        catalogue=CATALOGUE, sold=SOLD, evidence=replace(EXACT, products={**EXACT.products, MILK.id: milk})
    )

    assert list(drift) == ["milk"]


def test_products_that_are_missing_or_nobodys_are_drift() -> None:
    stranger = uuid.uuid4()
    products = {MILK.id: EXACT.products[MILK.id], stranger: EXACT.products[BREAD.id]}

    assert find_drift(catalogue=CATALOGUE, sold=SOLD, evidence=replace(EXACT, products=products)).keys() == {
        "bread",
        str(stranger),
    }


def test_a_sale_that_the_tills_do_not_know_is_drift() -> None:
    fewer = Sold(accepted=SOLD.accepted[:1])

    assert list(find_drift(catalogue=CATALOGUE, sold=fewer, evidence=EXACT)) == ["milk"]


def test_selling_what_was_not_there_is_drift_even_where_everything_agrees() -> None:
    little = replace(MILK, stock_milli=2000)
    agreed = replace(EXACT, products={MILK.id: evidence_of(-1000, sold=3000, version=3)})

    drift = find_drift(catalogue=[little], sold=Sold(accepted=[Basket((("milk", 3),))]), evidence=agreed)

    assert "sold what was not there" in drift["milk"][0]


@pytest.mark.parametrize("name", ["persisted", "lines", "total_centavos", "open_failures", "live_holds"])
def test_every_total_counts(name: str) -> None:
    assert len(faults(replace(EXACT, **{name: getattr(EXACT, name) + 1}))) == 1


def test_a_wrong_total_and_a_refusal_of_ample_stock_are_faults() -> None:
    refused = replace(SOLD, refused=[Basket((("milk", 100),))])

    assert len(faults(EXACT, wrong_totals=1)) == 1
    assert len(faults(EXACT, sold=refused)) == 1
    assert faults(EXACT, sold=refused, ample=False) == []


def test_refused_baskets_that_could_be_filled_are_counted_and_bounded() -> None:
    honest, strict = Basket((("milk", 1), ("bread", 4))), Basket((("milk", 7), ("bread", 3)))

    few = replace(SOLD, refused=[honest] * 199 + [strict])
    many = replace(SOLD, refused=[honest] * 198 + [strict])

    assert count_fillable(sold=few, catalogue=CATALOGUE, evidence=EXACT) == 1
    assert faults(EXACT, sold=few, ample=False) == []
    assert len(faults(EXACT, sold=many, ample=False)) == 1


class Answers(BaseHTTPRequestHandler):
    """Answers from a list, one a request: (status, body, Retry-After); None closes the connection without an answer."""

    protocol_version = "HTTP/1.1"
    script: ClassVar[list[tuple[int, object, str | None] | None]] = []
    seen: ClassVar[list[tuple[str, bytes]]] = []

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.seen.append((self.headers["Idempotency-Key"], body))
        step = self.script.pop(0)
        if step is None:
            self.close_connection = True
            return
        status, answer, retry_after = step
        text = json.dumps(answer).encode()
        self.send_response(status)
        if retry_after is not None:
            self.send_header("Retry-After", retry_after)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class' name
        """Say nothing."""


@pytest.fixture
def till() -> Iterator[Till]:
    """A till whose server answers what `Answers.script` says."""
    Answers.script.clear()
    Answers.seen.clear()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    server.daemon_threads = True
    Thread(target=server.serve_forever, args=[0.01], daemon=True).start()
    till = Till(url=f"http://127.0.0.1:{server.server_port}", token="t")
    yield till
    till.close()
    server.shutdown()
    server.server_close()


def sell(till: Till) -> Reply:
    (reply,) = sell_all(orders=[Order("the key", b"{}")], tills=[till], on_reply=lambda _reply: None)
    return reply


def test_a_till_that_is_refused_for_now_sends_again_with_the_same_key(till: Till) -> None:
    Answers.script += [(503, {"codigo": "no_disponible"}, "0"), None, (201, {"total": 12.35}, None)]

    reply = sell(till)

    assert Answers.seen == [("the key", b"{}")] * 3
    assert (reply.status, reply.retries, reply.total_centavos) == (201, 2, 1235)
    assert reply.answered_ms > 0


def test_a_refusal_is_final_and_keeps_its_word(till: Till) -> None:
    Answers.script += [(400, {"codigo": "stock_insuficiente"}, None)]

    reply = sell(till)

    assert (reply.status, reply.codigo, reply.total_centavos, reply.retries) == (400, "stock_insuficiente", None, 0)


def test_a_till_that_is_never_answered_gives_up_and_says_so(till: Till, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scripts.replay.tills.GIVE_UP_S", 0)
    Answers.script += [None]

    reply = sell(till)

    assert (reply.status, reply.codigo) == (0, NO_REPLY)
    assert Answers.seen == [("the key", b"{}")]


def test_with_a_rate_the_time_counts_from_when_an_order_was_due(till: Till) -> None:
    Answers.script += [(503, {}, "0.2"), *[(201, {}, None)] * 5]

    replies = sell_all(
        orders=[Order(str(number), b"{}") for number in range(5)],
        tills=[till],
        rate=1000,
        on_reply=lambda _reply: None,
    )

    assert [reply.status for reply in replies] == [201] * 5
    assert all(reply.answered_ms > 190 for reply in replies), "the one till was busy, and the others waited for it"
