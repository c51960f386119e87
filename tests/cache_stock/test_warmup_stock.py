"""manage.py warmup_stock, as a person and as a cron job meet it."""

import os
import subprocess
from uuid import uuid4

import pytest

from blend_pos.tiendas.models import Acto
from cache_stock.management.commands.warmup_stock import Command
from scripts import processes
from tests.cache_stock.store import Store


def run(environment: dict[str, str], *arguments: str, **overrides: str) -> tuple[int, str, str]:
    command = processes.manage("warmup_stock", *arguments)
    done = subprocess.run(command, env=environment | overrides, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


def test_one_tienda_by_name_or_id(store: Store, process_environment: dict[str, str]) -> None:
    store.products(3)
    store.product(is_active=False)
    status, out, err = run(process_environment, "--tienda", store.shop.tienda.nombre.upper())
    assert (status, err) == (0, "")
    assert "3 products on sale in Redis, 1 not on sale, 0 newer there already, armed for the first time" in out
    assert store.armed()
    status, out, _err = run(process_environment, "--tienda", str(store.tienda_id), "--por", "Ana")
    assert (status, len(out.splitlines())) == (0, 1)
    first, second = Acto.objects.filter(tienda=store.tienda_id, accion="CALENTAR").order_by("id")
    assert (second.persona, first.persona == "Ana") == ("Ana", False)
    assert (first.desde, second.desde.startswith("manage.py warmup_stock, ")) == (second.desde, True)


@pytest.mark.parametrize("arguments", [["--tienda", "no such"], ["--tienda", str(uuid4())], ["--nonsense"], []])
def test_what_cannot_be_meant(store: Store, process_environment: dict[str, str], arguments: list[str]) -> None:
    Store()
    status, out, err = run(process_environment, *arguments)
    assert (status, out) == (1, "")
    assert "Traceback" not in err
    assert arguments == ["--nonsense"] or str(store.tienda_id) in err  # it says what there is


def test_two_of_one_name(store: Store, process_environment: dict[str, str]) -> None:
    other = Store()
    other.shop.tienda.nombre = store.shop.tienda.nombre
    other.shop.tienda.save()
    status, _out, err = run(process_environment, "--tienda", store.shop.tienda.nombre)
    assert status == 1
    assert str(store.tienda_id) in err
    assert str(other.tienda_id) in err


def test_a_tienda_that_waits_for_its_cold_start(store: Store, process_environment: dict[str, str]) -> None:
    store.product()
    store.warm()
    store.disarm()
    status, _out, err = run(process_environment, "--tienda", str(store.tienda_id))
    assert status == 2
    assert "cold start" in err


@pytest.mark.parametrize(
    ("name", "url"), [("REDIS_URL", "redis://127.0.0.1:9/0"), ("DATABASE_URL", "postgres://none@127.0.0.1:9/none")]
)
def test_a_server_that_is_away(store: Store, process_environment: dict[str, str], name: str, url: str) -> None:
    status, _out, err = run(process_environment, "--tienda", str(store.tienda_id), **{name: url})
    assert status == 3
    assert "does not answer" in err
    assert "Traceback" not in err


def test_as_a_process_it_yields_to_who_sells(monkeypatch: pytest.MonkeyPatch) -> None:
    yielded: list[int] = []
    monkeypatch.setattr(os, "nice", yielded.append)
    with pytest.raises(SystemExit):
        Command().run_from_argv(["manage.py", "warmup_stock", "--help"])
    assert yielded == [19]
