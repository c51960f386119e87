"""The demonstration: its catalogue, and that it is made once and found again."""

import json
from collections import Counter
from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth import authenticate
from django.contrib.auth.models import User
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db.models import Sum
from django.test import RequestFactory, override_settings
from django.utils import timezone

from blend_pos.tiendas.access_cache import token_name
from blend_pos.tiendas.models import Membresia, Terminal, Tienda, TokenTerminal
from blend_pos.tiendas.selectors import read_access
from inventario.catalogo import ProductChange, change_product
from inventario.models import InventoryLedger, Producto, Unidad
from ventas.demo import TIENDA_ID, DemoRefused, derive_password, read_catalogue

KEY = "k" * 48


def demo() -> dict[str, Any]:
    output = StringIO()
    call_command("demo", "--json", stdout=output)
    described: dict[str, Any] = json.loads(output.getvalue().splitlines()[-1])
    return described


def is_ean13(code: str) -> bool:
    """The sum of the digits, every second one three times, is a multiple of ten."""
    return len(code) == 13 and sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(code)) % 10 == 0


def test_the_catalogue_is_one_that_a_shop_could_have() -> None:
    products = read_catalogue()

    assert len(products) >= 150
    assert sum(product.unidad == Unidad.KG for product in products) >= 20
    assert [product.nombre for product in products if not is_ean13(product.codigo_barras)] == []
    for value in ("id", "sku", "codigo_barras", "nombre"):
        assert Counter(getattr(product, value) for product in products).most_common(1)[0][1] == 1, value
    assert all(product.precio > 0 and product.stock_inicial > 0 for product in products)
    assert {product.impuesto for product in products} == {Decimal("0.00"), Decimal("16.00")}


def test_a_wrong_digit_is_no_ean13() -> None:
    assert is_ean13("4006381333931")
    assert not is_ean13("4006381333932")


@pytest.mark.django_db
def test_it_is_made_with_its_stock_in_the_ledger() -> None:
    described = demo()

    products = read_catalogue()
    tienda = Tienda.objects.get(pk=described["tienda_id"])
    assert (tienda.nombre, described["productos"], described["nuevos"]) == (
        "Tienda Centro",
        len(products),
        len(products),
    )
    ledger = InventoryLedger.objects.filter(producto__tienda=tienda)
    assert ledger.count() == len(products)
    assert ledger.aggregate(sum=Sum("delta"))["sum"] == sum(product.stock_inicial for product in products)
    assert [terminal.numero for terminal in Terminal.objects.filter(tienda=tienda)] == [1, 2]


@pytest.mark.django_db
def test_everybody_can_sign_in_and_the_administrador_is_let_into_the_admin(rf: RequestFactory) -> None:
    described = demo()

    assert [user["rol"] for user in described["usuarios"]] == ["cajero", "encargado", "administrador"]
    for person in described["usuarios"]:
        user = authenticate(rf.post("/"), username=person["usuario"], password=person["password"])
        assert isinstance(user, User)
        assert Membresia.objects.get(usuario=user, tienda=TIENDA_ID).rol == person["rol"]
        assert user.is_superuser == (person["rol"] == "administrador")
        assert user.is_staff == (person["rol"] != "cajero")


@pytest.mark.django_db
def test_the_token_is_an_encargado_at_terminal_1() -> None:
    described = demo()

    record = read_access(name=token_name(described["token"]), now=timezone.now())

    assert record is not None
    (tienda,) = record.access.tiendas.items()
    assert tienda[0] == described["tienda_id"]
    assert (tienda[1].rol, tienda[1].terminales) == ("encargado", ((described["terminal_id"], 1),))


@pytest.mark.django_db
def test_a_second_run_finds_everything_and_gives_a_working_token_again() -> None:
    first = demo()
    product = Producto.objects.filter(tienda=TIENDA_ID).first()
    assert product is not None
    change_product(producto_id=product.pk, change=ProductChange(precio=Decimal("77.70")))
    before = {model: model._default_manager.count() for model in (Tienda, User, Membresia, Producto, InventoryLedger)}

    second = demo()

    assert {model: model._default_manager.count() for model in before} == before
    assert second["usuarios"] == first["usuarios"]
    assert second["nuevos"] == 0
    product.refresh_from_db()
    assert product.precio == Decimal("77.70")
    for described in (first, second):
        assert read_access(name=token_name(described["token"]), now=timezone.now())


@pytest.mark.django_db
def test_tokens_that_have_ended_are_cleared_away() -> None:
    demo()
    TokenTerminal.objects.filter(terminal__tienda=TIENDA_ID).update(expiry=timezone.now())

    demo()

    assert TokenTerminal.objects.filter(terminal__tienda=TIENDA_ID).count() == 1


@pytest.mark.django_db
def test_a_changed_password_is_put_back() -> None:
    demo()
    user = User.objects.get(username="encargado")
    user.set_password("another one")
    user.save()

    person = demo()["usuarios"][1]

    user.refresh_from_db()
    assert user.check_password(person["password"])


@pytest.mark.django_db
def test_a_person_of_that_name_who_belongs_elsewhere_is_left_alone() -> None:
    user = User.objects.create_user("administrador", password="mine")

    with pytest.raises(CommandError, match="administrador"):
        demo()

    user.refresh_from_db()
    assert user.check_password("mine")
    assert not user.is_superuser
    assert not Tienda.objects.filter(pk=TIENDA_ID).exists()


@pytest.mark.django_db
@override_settings(SECRET_KEY="change-me")
def test_a_secret_key_that_could_be_guessed_is_refused() -> None:
    with pytest.raises(CommandError, match="SECRET_KEY"):
        demo()


def test_passwords_differ_by_person_and_by_key() -> None:
    passwords = {derive_password(username=name, secret_key=key) for name in ("a", "b") for key in (KEY, KEY + "2")}

    assert len(passwords) == 4
    assert all(len(password) == 19 for password in passwords)
    assert derive_password(username="a", secret_key=KEY) in passwords
    with pytest.raises(DemoRefused):
        derive_password(username="a", secret_key=KEY[:31])
