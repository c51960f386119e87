"""The list of written sales: by whom it may be seen, what finds what, and that it costs no more with many of them."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from blend_pos.tiendas import admin_lists
from blend_pos.tiendas.models import Rol
from inventario.models import InventoryLedger
from tests.pipeline.messages import as_payload
from tests.pipeline.shop import Shop, open_shop
from tests.tiendas.people import sign_in
from ventas import persistence, short_codes
from ventas.messages import read_sale
from ventas.models import Venta

LIST = reverse("admin:ventas_venta_changelist")
INLINE = re.compile(r"<(?:script|style)(?![^>]*\bsrc=)[^>]*>|\son\w+=|\sstyle=|javascript:")


@pytest.fixture
def shop(live_db: None) -> Shop:
    return open_shop(terminals=2)


@pytest.fixture
def encargado(shop: Shop) -> Client:
    return staff(shop, Rol.ENCARGADO)


def staff(shop: Shop, rol: str) -> Client:
    usuario = shop.users[rol]
    usuario.is_staff = True
    usuario.save()
    return sign_in(usuario)


def sell(shop: Shop, *, days_ago: float = 0, **fields: Any) -> Venta:
    """One written sale of two lines."""
    payload = as_payload(shop, [(shop.products[0], 1_500), (shop.products[1], 2_000)], **fields)
    payload["timestamp"] = (datetime.now(UTC) - timedelta(days=days_ago)).isoformat()
    persistence.write(sales=[read_sale(payload)], now=datetime.now(UTC))
    return Venta.objects.get(tienda=shop.tienda_id, venta_id=payload["venta_id"])


def listed(client: Client, **query: str) -> list[UUID]:
    """The sales on the page, in its order."""
    page = client.get(LIST, query)
    assert page.status_code == 200, page["Location"]
    return [UUID(found) for found in re.findall(r'field-venta_id">([^<]+)<', page.content.decode())]


def ids(*ventas: Venta) -> list[UUID]:
    return [venta.venta_id for venta in ventas]


def test_the_newest_comes_first_however_late_it_was_written(shop: Shop, encargado: Client) -> None:
    today, old, yesterday = sell(shop), sell(shop, days_ago=40), sell(shop, days_ago=1)
    assert listed(encargado) == ids(today, yesterday, old)


def test_the_code_on_a_receipt_finds_its_sale(shop: Shop, encargado: Client) -> None:
    assert short_codes.readable_code(venta_id=UUID("019abc00-0000-7000-8000-ff0000000020")) == "0000-0010"
    sold = sell(shop, venta_id="019abc00-0000-7000-8000-00abcdefff1f")
    sell(shop)
    code = "NF6YZZRZ"  # 0xabcdefff1f, five bits a letter

    for typed in (code, f"{code[:4]}-{code[4:]}", code.lower()):
        assert listed(encargado, q=typed) == ids(sold)
    assert listed(encargado, q="00000000-") == []
    for address in (LIST, reverse("admin:ventas_venta_change", args=[sold.pk])):
        assert "NF6Y-ZZRZ" in encargado.get(address).content.decode()
    assert listed(staff(open_shop(), Rol.ENCARGADO), q=code) == []


def test_a_code_is_looked_for_among_each_tiendas_newest(
    shop: Shop, encargado: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(short_codes, "MOST_SEARCHED", 1)
    sold = sell(shop)
    sell(open_shop())
    code = short_codes.readable_code(venta_id=sold.venta_id)

    assert listed(encargado, q=code) == ids(sold)
    sell(shop)
    assert listed(encargado, q=code) == []


def test_each_filter_finds_its_own(shop: Shop, encargado: Client) -> None:
    cash = sell(shop)
    card = sell(shop, metodo_pago="TARJETA", cajero_id=shop.users["encargado"].pk, days_ago=3)
    assert listed(encargado, metodo_pago__exact="TARJETA") == ids(card)
    assert listed(encargado, cajero=str(shop.users["cajero"].pk)) == ids(cash)
    assert listed(encargado, cajero=str(shop.users["encargado"].pk)) == ids(card)
    assert listed(encargado, tienda=str(shop.tienda_id)) == ids(cash, card)
    page = encargado.get(LIST).content.decode()
    (recent,) = re.findall(r'href="\?(fecha__gte=[^"]+)">\s*Hoy', page)
    assert str(cash.venta_id) in encargado.get(f"{LIST}?{recent.replace('&amp;', '&')}").content.decode()
    assert str(card.venta_id) not in encargado.get(f"{LIST}?{recent.replace('&amp;', '&')}").content.decode()


def test_a_search_is_by_sale_by_receipt_or_by_day(shop: Shop, encargado: Client) -> None:
    first, second = sell(shop), sell(shop, days_ago=1)
    other_terminal = sell(shop, terminal_id=shop.seats[1].terminal_id)
    foreign = sell(open_shop())
    assert (first.recibo, second.recibo, other_terminal.recibo, foreign.recibo) == (1, 2, 1, 1)
    assert listed(encargado, q=str(first.venta_id)) == ids(first)
    assert listed(encargado, q=f" {first.venta_id.hex.upper()} ") == ids(first)
    assert set(listed(encargado, q="1")) == set(ids(first, other_terminal))
    assert listed(encargado, q="2") == ids(second)
    day = second.fecha.astimezone(second.tienda.zone).date()
    assert listed(encargado, q=day.isoformat()) == ids(second)
    for nothing in ("3", "9" * 30, "leche", str(uuid4()), "2026-02-30", str(foreign.venta_id)):
        assert listed(encargado, q=nothing) == []


@pytest.mark.parametrize("query", [{"tienda": "x"}, {"cajero": "x"}, {"cajero": "-1"}, {"cajero": "9" * 30}])
def test_what_is_no_filter_is_refused_and_not_an_error(query: dict[str, str], encargado: Client) -> None:
    assert encargado.get(LIST, query).status_code == 302


def test_a_number_that_no_row_can_have_finds_nothing(shop: Shop, encargado: Client) -> None:
    sell(shop)
    assert encargado.get(reverse("admin:ventas_venta_change", args=["9" * 30])).status_code == 404
    confirmar = reverse("admin:ventas_ventafallida_confirmar", args=["reintentar"])
    assert encargado.get(confirmar, {"id": ["9" * 30, "x", "-1"]}).status_code == 404


def test_another_tiendas_sales_are_not_there(shop: Shop, encargado: Client) -> None:
    other = open_shop()
    own, theirs = sell(shop), sell(other)
    assert listed(encargado) == ids(own)
    assert listed(encargado, tienda=str(other.tienda_id)) == []
    change = reverse("admin:ventas_venta_change", args=[theirs.pk])
    assert encargado.get(change).status_code == 404
    page = encargado.get(LIST).content.decode()
    assert [name for name in (other.users["cajero"].username, str(other.tienda_id)) if name in page] == []


def test_a_superuser_sees_all_tiendas_in_the_order_they_were_written(shop: Shop) -> None:
    root = sign_in(User.objects.create(username=f"root-{uuid4().hex}", is_staff=True, is_superuser=True))
    first, second, third = sell(shop), sell(open_shop()), sell(shop, days_ago=9)
    assert listed(root)[:3] == ids(third, second, first)
    assert listed(root, tienda=str(shop.tienda_id)) == ids(first, third)


def test_a_cashier_does_not_see_the_list(shop: Shop) -> None:
    assert staff(shop, Rol.CAJERO).get(LIST).status_code == 403


def test_a_sale_shows_its_lines_and_what_they_moved(shop: Shop, encargado: Client) -> None:
    venta = sell(shop)
    address = reverse("admin:ventas_venta_change", args=[venta.pk])
    page = encargado.get(address).content.decode()
    for text in ("Producto", "1.500", "2.000", "-1.500", "-2.000", str(venta.venta_id)):
        assert text in page, text
    assert page.count("field-importe") >= 2
    assert 'name="_save"' not in page
    assert encargado.post(address, {"total": "1"}).status_code == 403
    assert encargado.post(reverse("admin:ventas_venta_delete", args=[venta.pk])).status_code == 403
    assert encargado.get(reverse("admin:ventas_venta_add")).status_code == 403
    assert InventoryLedger.objects.filter(venta=venta).count() == 2


def queries(client: Client, addresses: Sequence[str]) -> list[int]:
    counts = []
    for address in addresses:
        with CaptureQueriesContext(connection) as captured:
            assert client.get(address).status_code == 200
        counts.append(len(captured))
    return counts


def test_pages_cost_the_same_queries_however_much_there_is(shop: Shop, encargado: Client) -> None:
    first = sell(shop)
    addresses = [LIST, f"{LIST}?q=1", f"{LIST}?tienda={shop.tienda_id}&metodo_pago__exact=EFECTIVO"]
    addresses.append(reverse("admin:ventas_venta_change", args=[first.pk]))
    few = queries(encargado, addresses)
    for _ in range(5):
        sell(shop)
    assert queries(encargado, addresses) == few
    assert max(few) <= 12


def test_nothing_counts_or_reads_the_whole_table(
    shop: Shop, encargado: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every query on ventas begins with the tiendas, as its indexes do, and ends at a bound; a superuser's too."""
    ventas = [sell(shop) for _ in range(4)]
    root = sign_in(User.objects.create(username=f"root-{uuid4().hex}", is_staff=True, is_superuser=True))
    monkeypatch.setattr(admin_lists, "MOST_ROWS", 3)
    monkeypatch.setattr(admin_lists.WrittenRowsAdmin, "list_per_page", 2)
    with CaptureQueriesContext(connection) as captured:
        pages = [client.get(LIST).content.decode() for client in (encargado, root)]
        encargado.get(LIST, {"q": "1"})
    asked = [query["sql"] for query in captured if 'FROM "ventas"' in query["sql"]]
    assert len(asked) == 6
    assert all('"tienda_id" IN' in sql for sql in asked)
    assert all("LIMIT" in sql for sql in asked[:5]), "a list that is one page has no other bound"
    assert all('"terminal_id" IN' in sql for sql in asked[4:]), "receipts have an index by terminal"
    assert all("3 ventas" in page for page in pages)
    assert listed(encargado, p="2") == ids(ventas[1])
    assert encargado.get(LIST, {"p": "3"}).status_code == 302


def test_the_pages_need_nothing_that_the_content_policy_forbids(shop: Shop, encargado: Client) -> None:
    venta = sell(shop)
    for address in (LIST, reverse("admin:ventas_venta_change", args=[venta.pk])):
        answer = encargado.get(address)
        assert "default-src 'self'" in answer["Content-Security-Policy"]
        assert INLINE.findall(answer.content.decode()) == []
