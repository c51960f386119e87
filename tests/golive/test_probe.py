"""The probe is nobody's, and in no list."""

from contextlib import suppress
from datetime import UTC, datetime
from io import StringIO
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import Client

from blend_pos.tiendas.access_cache import token_name
from blend_pos.tiendas.models import SONDA_ID, SONDA_USUARIO, Membresia, Rol, Terminal, Tienda, TokenTerminal
from blend_pos.tiendas.selectors import read_access
from blend_pos.tiendas.tokens import TokenRefused, create_token
from cache_stock import journal, reservation
from cache_stock.intake import lower_stock
from cache_stock.operations import Operation
from cache_stock.warmup import ColdStartNeeded
from inventario.models import InventoryLedger, Producto, TipoMovimiento
from scripts.services import Services
from tests.conftest import SERVICES
from tests.pipeline.rabbit import default_host
from tests.pipeline.shop import open_shop
from tests.polling import wait_until
from ventas import broker, cold_start
from ventas.golive import probe

LISTS = [
    "tiendas/tienda", "tiendas/terminal", "tiendas/membresia", "tiendas/tokenterminal", "tiendas/acto",
    "inventario/producto", "inventario/inventoryledger", "ventas/venta", "ventas/ventafallida",
]  # fmt: skip


@pytest.fixture
def made(live_db: None) -> probe.Probe:
    """It is there, and so is one tienda."""
    Tienda.objects.update(is_active=False)
    open_shop()
    return probe.prepare(now=datetime.now(UTC))


@pytest.fixture
def superuser(live_db: None) -> Client:
    client = Client()
    user, _new = User.objects.get_or_create(username="everything", is_superuser=True, is_staff=True)
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def test_it_is_made_once_and_found_again(made: probe.Probe) -> None:
    assert probe.prepare(now=datetime.now(UTC)) == made
    tienda = Tienda.objects.get(pk=SONDA_ID)
    assert not tienda.is_active
    assert Producto.objects.get(pk=made.producto_id).precio == 0
    assert not User.objects.get(pk=made.cajero_id).has_usable_password()
    assert not Membresia.objects.filter(tienda=SONDA_ID).exists()


def test_when_all_is_sold_it_is_stocked_again_by_the_ledger(made: probe.Probe) -> None:
    now = datetime.now(UTC)
    stock = Producto.objects.get(pk=made.producto_id).stock_actual
    everything = Operation(
        tienda_id=SONDA_ID,
        operacion=uuid4(),
        tipo=TipoMovimiento.AJUSTE,
        quantities={made.producto_id: int(stock * 1000)},
        motivo="all of it",
        usuario_id=made.cajero_id,
        fecha=now,
    )
    lower_stock(operation=everything, now_ms=int(now.timestamp() * 1000))
    assert available(made) == 0

    probe.prepare(now=now)
    last = InventoryLedger.objects.filter(producto=made.producto_id).order_by("-version").first()
    assert last is not None
    assert last.tipo == TipoMovimiento.AJUSTE.value
    assert last.saldo == probe.STOCK
    assert available(made) == probe.STOCK * 1000


def available(made: probe.Probe) -> int | None:
    """Thousandths that can be promised."""
    return reservation.available(tienda_id=SONDA_ID, productos=[made.producto_id])[made.producto_id]


def test_a_cold_start_arms_it_with_the_others(made: probe.Probe) -> None:
    default_host(SERVICES.rabbit).purge()
    wait_until(are_empty, timeout_s=30, what="RabbitMQ has counted that its queues are empty")
    journal.disarm(tienda_id=SONDA_ID)
    with pytest.raises(ColdStartNeeded):
        probe.prepare(now=datetime.now(UTC))

    assert cold_start.run() == [SONDA_ID]
    assert probe.prepare(now=datetime.now(UTC)) == made


def are_empty() -> bool:
    """Whether RabbitMQ says so; of queues that are new it says nothing yet."""
    try:
        return broker.unfinished_messages() == 0
    except broker.BrokerAway:
        return False


@pytest.mark.parametrize("path", LISTS)
def test_no_list_of_the_admin_shows_it(made: probe.Probe, superuser: Client, path: str) -> None:
    page = superuser.get(f"/admin/{path}/")

    assert page.status_code == 200
    assert probe.NOMBRE not in page.content.decode()
    assert SONDA_USUARIO not in page.content.decode()


@pytest.mark.parametrize("path", ["tiendas/terminal/add", "tiendas/membresia/add", "tiendas/tokenterminal/add"])
def test_no_form_of_the_admin_offers_it(made: probe.Probe, superuser: Client, path: str) -> None:
    page = superuser.get(f"/admin/{path}/").content.decode()

    assert "tienda" in page
    assert probe.NOMBRE not in page
    assert SONDA_USUARIO not in page


def test_its_page_is_not_there(made: probe.Probe, superuser: Client) -> None:
    assert superuser.get(f"/admin/tiendas/tienda/{SONDA_ID}/change/").status_code == 404
    assert superuser.get(f"/admin/inventario/producto/{made.producto_id}/change/").status_code == 404


def test_the_ledgers_file_has_nothing_of_it(made: probe.Probe, superuser: Client) -> None:
    answer: Any = superuser.get("/admin/inventario/inventoryledger/exportar/")
    text = b"".join(answer.streaming_content).decode()
    assert text
    assert probe.NOMBRE not in text


def test_nobody_gets_a_token_for_it(made: probe.Probe) -> None:
    terminal, cajero = Terminal.objects.get(pk=made.terminal_id), User.objects.get(pk=made.cajero_id)
    with pytest.raises(TokenRefused):
        create_token(terminal=terminal, usuario=cajero, rol="cajero", expiry=None)


def test_its_own_token_sells_there_alone_and_is_gone_afterwards(made: probe.Probe) -> None:
    now = datetime.now(UTC)
    with suppress(InterruptedError), probe.token_of(made, now=now) as token:
        name = token_name(token)
        record = read_access(name=name, now=now)
        assert record is not None
        access = record.access
        assert list(access.tiendas) == [str(SONDA_ID)]
        assert access.tiendas[str(SONDA_ID)].rol == Rol.CAJERO
        assert access.expires_at_s == (now + probe.TOKEN_TTL).timestamp()
        assert read_access(name=name, now=now + probe.TOKEN_TTL) is None  # where nobody could revoke it
        raise InterruptedError

    assert read_access(name=name, now=now) is None
    assert not TokenTerminal.objects.filter(terminal=made.terminal_id).exists()


def test_one_without_an_end_opens_nothing(made: probe.Probe) -> None:
    now = datetime.now(UTC)
    with probe.token_of(made, now=now) as token:
        TokenTerminal.objects.filter(terminal=made.terminal_id).update(expiry=None)
        assert read_access(name=token_name(token), now=now) is None


@pytest.mark.parametrize("command", ["warmup_stock", "reconcile_stock", "ventas_en_vuelo"])
def test_all_tiendas_are_all_but_the_probe(made: probe.Probe, command: str) -> None:
    out = StringIO()
    with suppress(SystemExit, CommandError):
        call_command(command, "--all", stdout=out)
    assert "tienda " in out.getvalue()
    assert probe.NOMBRE not in out.getvalue()


def test_where_nothing_is_told_of_it_its_token_is_gone_all_the_same(made: probe.Probe, services: Services) -> None:
    with probe.token_of(made, now=datetime.now(UTC)):
        assert TokenTerminal.objects.filter(terminal=made.terminal_id).exists()
        services.redis.stop()

    assert not TokenTerminal.objects.filter(terminal=made.terminal_id).exists()
