"""Every live hold, where its sale is and what becomes of it; what is held for nobody, and what is not held."""

import json
import subprocess
import time
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest

from blend_pos.tiendas.models import Acto
from cache_stock import intake, journal, keys, reservation, scripts
from cache_stock.reservation import HeldProduct, Wanted
from scripts import processes
from tests.pipeline.shop import Shop, open_shop
from ventas import in_flight, persistence, recovery
from ventas.in_flight import Fate, LiveSale
from ventas.messages import Pedido, fingerprint, hold_payload, read_sale
from ventas.models import EstadoFalla, VentaFallida
from ventas.reconcile import reconcile_tienda

NOW_MS = int(time.time() * 1000)
CANTIDAD = 2_000


@pytest.fixture
def shop(live_db: None) -> Shop:
    return open_shop(products=2)


def hold(shop: Shop, *, pedido: str | None = None) -> UUID:
    """A sale of two of the first product, as a checkout holds it ten seconds before NOW_MS."""
    venta_id, producto = uuid4(), shop.products[0]
    lines = [(producto, CANTIDAD)]
    asked = Pedido(
        datetime.now(UTC).isoformat(),
        shop.users["cajero"].pk,
        str(shop.seats[0].terminal_id),
        "EFECTIVO",
        ((str(producto), CANTIDAD),),
    )
    reservation.reserve(
        tienda_id=shop.tienda_id,
        venta_id=venta_id,
        huella=fingerprint(lines=lines, metodo_pago="EFECTIVO"),
        nonce="nonce",
        wanted=[Wanted(producto, CANTIDAD)],
        pedido=pedido or asked.encode(),
        now_ms=NOW_MS - 10_000,
        sweep_after_ms=30_000,
        most_holds=100,
    )
    return venta_id


def fail(shop: Shop, venta_id: UUID) -> VentaFallida:
    sale = read_sale(hold_payload(hold=_live(shop, venta_id))[0])
    assert recovery.record_failed_sale(sale=sale, error="no room", now=datetime.now(UTC))
    return VentaFallida.objects.get(tienda_id=shop.tienda_id, venta_id=venta_id)


def _live(shop: Shop, venta_id: UUID) -> reservation.LiveHold:
    live = reservation.find_hold(tienda_id=shop.tienda_id, venta_id=venta_id)
    assert live is not None
    return live


def only(shop: Shop) -> LiveSale:
    [sale] = in_flight.live_sales(tienda_id=shop.tienda_id, now_ms=NOW_MS)
    return sale


def test_one_on_its_way(shop: Shop) -> None:
    venta_id = hold(shop)
    sale = only(shop)
    assert (sale.venta_id, sale.fate, sale.age_s, sale.due_in_s) == (venta_id, Fate.ON_ITS_WAY, 10.0, 20.0)
    assert (sale.lines, sale.total_centavos, sale.intents, sale.swept) == (1, 2_100, 1, 0)
    assert "in 20 s" in sale.future


def test_one_that_is_written_and_not_settled(shop: Shop) -> None:
    venta_id = hold(shop)
    sale = read_sale(hold_payload(hold=_live(shop, venta_id))[0])
    written = persistence.write(sales=[sale], now=datetime.now(UTC))
    assert only(shop).fate is Fate.WRITTEN
    persistence.settle(written=written)
    assert in_flight.live_sales(tienda_id=shop.tienda_id, now_ms=NOW_MS) == []


def test_one_that_failed_until_it_is_dealt_with(shop: Shop) -> None:
    failed = fail(shop, hold(shop))
    sale = only(shop)
    assert (sale.fate, sale.failed_id, sale.due_in_s) == (Fate.FAILED, failed.pk, None)
    for estado, fate in ((EstadoFalla.REINTENTADA, Fate.RETRIED), (EstadoFalla.DESCARTADA, Fate.DISCARDED)):
        VentaFallida.objects.filter(pk=failed.pk).update(
            estado=estado, resuelta=datetime.now(UTC), resuelta_por=shop.users["administrador"], nota="x"
        )
        assert only(shop).fate is fate


def test_what_is_no_sale(shop: Shop) -> None:
    hold(shop, pedido="{")
    assert only(shop).fate is Fate.UNREADABLE


def test_an_adjustment(shop: Shop) -> None:
    hold(shop, pedido=json.dumps({"tipo": "AJUSTE"}))
    assert intake.is_adjustment(_live(shop, only(shop).venta_id))
    assert only(shop).fate is Fate.ADJUSTMENT


def test_a_hold_that_is_gone(shop: Shop) -> None:
    venta_id = hold(shop)
    scripts.delete(key=keys.hold(shop.tienda_id, venta_id))
    assert only(shop).fate is Fate.GONE


def test_a_hold_for_nobody_goes_back_to_the_sweep(shop: Shop) -> None:
    venta_id = hold(shop)
    fail(shop, venta_id).delete()
    assert only(shop).fate is Fate.FOR_NOBODY
    found = reconcile_tienda(tienda_id=shop.tienda_id, repair=True, patience_s=0)
    assert [(sale.venta_id, sale.held) for sale in found.misheld] == [(venta_id, True)]
    assert only(shop).fate is Fate.ON_ITS_WAY
    assert reconcile_tienda(tienda_id=shop.tienda_id, repair=False, patience_s=0).differences == 0


def test_a_failed_sale_that_holds_nothing_asks_for_a_cold_start(shop: Shop) -> None:
    venta_id = hold(shop)
    fail(shop, venta_id)
    reservation.settle(
        tienda_id=shop.tienda_id,
        sales=[reservation.SettledSale(venta_id, _live(shop, venta_id).huella)],
        balances=[],
        answer_ttl_s=60,
    )
    found = reconcile_tienda(tienda_id=shop.tienda_id, repair=False, patience_s=0)
    assert [(sale.venta_id, sale.held) for sale in found.misheld] == [(venta_id, False)]
    assert shop.is_armed()
    reconcile_tienda(tienda_id=shop.tienda_id, repair=True, patience_s=0)
    assert not shop.is_armed()


def test_many_are_read_in_pieces(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "HOLDS_A_CALL", 2)
    monkeypatch.setattr(in_flight, "SALES_A_QUERY", 3)
    ventas = {hold(shop) for _number in range(7)}
    assert {sale.venta_id for sale in in_flight.live_sales(tienda_id=shop.tienda_id, now_ms=NOW_MS)} == ventas


def run(environment: dict[str, str], *arguments: str) -> tuple[int, str]:
    done = subprocess.run(processes.manage(*arguments), env=environment, capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr
    return done.returncode, done.stdout


def test_the_commands(shop: Shop, process_environment: dict[str, str]) -> None:
    venta_id, tienda = hold(shop), ("--tienda", str(shop.tienda_id))
    status, out = run(process_environment, "ventas_en_vuelo", *tienda)
    assert status == 0
    assert "1 live holds, the oldest" in out
    assert f"{venta_id}" in out
    assert "1 products $21.00" in out
    status, out = run(process_environment, "ventas_en_vuelo", *tienda, "--json")
    assert (status, json.loads(out)["fate"]) == (0, "on its way")
    status, out = run(process_environment, "reconcile_stock", *tienda, "--patience=0")
    assert (status, out.count("\n")) == (0, 1)
    assert "2 products, 0 differences" in out

    scripts.set_field(key=keys.stock(shop.tienda_id, shop.products[1]), field="saldo", value="1")
    status, out = run(process_environment, "reconcile_stock", *tienda, "--patience=0", "--json")
    assert status == 4
    [difference] = json.loads(out)["differences"]
    assert (difference["what"], difference["saldo"], difference["stock_actual"]) == ("saldo", 1, 1_000_000)
    status, out = run(process_environment, "reconcile_stock", *tienda, "--patience=0", "--repair", "--por=Ana")
    assert status == 4
    assert "1 products carried" in out
    act = Acto.objects.get(tienda=shop.tienda_id)  # looking leaves none
    assert (act.accion, act.persona) == ("REPARAR", "Ana")
    assert run(process_environment, "reconcile_stock", *tienda, "--patience=0")[0] == 0


@pytest.mark.parametrize("patience", ["-1", "nan", "inf", "soon"])
def test_a_patience_that_is_none(process_environment: dict[str, str], patience: str) -> None:
    assert run(process_environment, "reconcile_stock", f"--patience={patience}") == (1, "")


def test_a_tienda_that_is_not_armed(shop: Shop, process_environment: dict[str, str]) -> None:
    scripts.delete_field(key=keys.meta(shop.tienda_id), field="run_id")
    status, out = run(process_environment, "reconcile_stock", "--tienda", str(shop.tienda_id))
    assert status == 2
    assert "not armed" in out


def test_products_are_priced_as_they_are_held(shop: Shop) -> None:
    assert _live(shop, hold(shop)).products == (HeldProduct(shop.products[0], CANTIDAD, 1_050, 1_600, 1),)
