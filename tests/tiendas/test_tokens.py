"""Making tokens, in a function and at the command line."""

import subprocess
from datetime import timedelta
from io import StringIO
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from blend_pos.tiendas import shops
from blend_pos.tiendas.access_cache import digest_name, token_name
from blend_pos.tiendas.access_lookup import find_access
from blend_pos.tiendas.authentication import TOKEN_SHAPE
from blend_pos.tiendas.models import TokenTerminal
from blend_pos.tiendas.tokens import TokenRefused
from scripts import processes
from tests.tiendas.people import Shop, give_token, hire, open_shop


def test_only_the_digest_is_kept(shop: Shop) -> None:
    row, secret = give_token(hire(shop), shop)
    assert TOKEN_SHAPE.fullmatch(secret)
    assert digest_name(row.digest) == token_name(secret)
    assert secret not in str(TokenTerminal.objects.filter(pk=row.pk).values().get())


def test_a_token_is_for_a_member_of_its_tienda(shop: Shop) -> None:
    with pytest.raises(TokenRefused, match="no pertenece"):
        give_token(hire(open_shop()), shop)


def test_a_token_may_not_be_made_for_more_than_its_person_may(shop: Shop) -> None:
    with pytest.raises(TokenRefused, match="no puede más"):
        give_token(hire(shop), shop, rol="encargado")


def test_a_token_of_what_is_closed_is_not_made(shop: Shop) -> None:
    usuario = hire(shop)
    shop.terminal.is_active = False
    shops.save_terminal(terminal=shop.terminal)
    with pytest.raises(TokenRefused, match="activas"):
        give_token(usuario, shop)


def run(**options: object) -> str:
    output = StringIO()
    call_command("create_token", stdout=output, **options)
    return output.getvalue().strip()


def test_the_command_prints_a_token_that_works(shop: Shop) -> None:
    usuario = hire(shop, rol="encargado")
    by_name = run(tienda=shop.tienda.nombre.upper(), usuario=usuario.username)
    by_id = run(tienda=str(shop.tienda.pk), terminal=1, usuario=usuario.username, rol="encargado", days=2)

    now = timezone.now()
    for secret, rol, ends in ((by_name, "cajero", 365), (by_id, "encargado", 2)):
        access = find_access(name=token_name(secret), now=now)
        assert access
        assert [tienda.rol for tienda in access.tiendas.values()] == [rol]
        assert find_access(name=token_name(secret), now=now + timedelta(days=ends - 1))
        assert find_access(name=token_name(secret), now=now + timedelta(days=ends, minutes=1)) is None


def test_the_command_makes_one_that_never_ends(shop: Shop) -> None:
    secret = run(tienda=str(shop.tienda.pk), usuario=hire(shop).username, days=0)
    assert find_access(name=token_name(secret), now=timezone.now() + timedelta(days=36_500))


def test_the_command_says_what_is_wrong(shop: Shop) -> None:
    usuario = hire(shop).username
    tienda = str(shop.tienda.pk)
    wrong: dict[str, dict[str, object]] = {
        "no tienda": {"tienda": str(uuid4()), "usuario": usuario},
        "no terminal 7": {"tienda": tienda, "usuario": usuario, "terminal": 7},
        "no nadie": {"tienda": tienda, "usuario": "nadie"},
        "no puede más": {"tienda": tienda, "usuario": usuario, "rol": "administrador"},
        "from 0": {"tienda": tienda, "usuario": usuario, "days": -5},
        "to 36500": {"tienda": tienda, "usuario": usuario, "days": 3_000_000},
    }
    for complaint, options in wrong.items():
        with pytest.raises(CommandError, match=complaint):
            run(**options)


def test_nothing_but_the_token_is_printed(shop: Shop, process_environment: dict[str, str]) -> None:
    command = processes.manage("create_token", "--tienda", str(shop.tienda.pk), "--usuario", hire(shop).username)
    done = subprocess.run(command, env=process_environment, capture_output=True, text=True, check=True)
    assert TOKEN_SHAPE.fullmatch(done.stdout.strip())
