"""manage.py golive_check: tables, indexes and rules that PostgreSQL has lost, and one that does not write."""

import pytest

from tests.conftest import SERVICES
from tests.golive.breaking import rows
from tests.golive.open_shop import OpenShop

LAST = "(SELECT max(id) FROM django_migrations WHERE app = 'ventas')"

pytestmark = pytest.mark.timeout(300)


def test_an_invalid_index_is_mended_as_it_says(open_shop: OpenShop) -> None:
    name = "idx_ledger_producto_fecha"
    open_shop.sql(f"UPDATE pg_index SET indisvalid = false WHERE indexrelid = '{name}'::regclass")
    found = open_shop.check("--no-sale")

    assert found.failed == {"postgresql.indexes"}
    assert name in found.lines["postgresql.indexes"]["seen"]
    open_shop.sql(found.lines["postgresql.indexes"]["todo"].partition(": ")[2])
    assert open_shop.check("--no-sale").failed == set()


def test_an_index_that_is_gone_is_named(open_shop: OpenShop) -> None:
    name = "idx_productos_tienda_activo"
    (made,) = open_shop.sql(f"SELECT indexdef FROM pg_indexes WHERE indexname = '{name}'")[0]
    open_shop.sql(f"DROP INDEX {name}")
    try:
        found = open_shop.check("--no-sale")
    finally:
        open_shop.sql(made)

    assert found.failed == {"postgresql.indexes"}
    assert f"faltan: {name}" in found.said("postgresql.indexes")


def test_a_migration_that_was_not_applied_is_named(open_shop: OpenShop) -> None:
    ((app, name, applied),) = open_shop.sql(f"SELECT app, name, applied::text FROM django_migrations WHERE id = {LAST}")
    open_shop.sql(f"DELETE FROM django_migrations WHERE id = {LAST}")
    try:
        found = open_shop.check("--no-sale")
    finally:
        open_shop.sql(f"INSERT INTO django_migrations (app, name, applied) VALUES ('{app}', '{name}', '{applied}')")

    assert found.failed == {"postgresql.migrations"}
    assert f"{app}.{name}" in found.said("postgresql.migrations")
    assert "manage.py migrate" in found.said("postgresql.migrations")


def test_a_postgresql_that_spares_the_disk_is_said(open_shop: OpenShop) -> None:
    found = open_shop.check("--no-sale", environment={"DATABASE_URL": SERVICES.postgres.url})

    assert "postgresql.durable" in found.failed
    assert "fsync = on" in found.said("postgresql.durable")


STOCK_CHECK = "productos_stock_no_negativo"
RULES: dict[str, tuple[str, str, str, str]] = {
    "the ledger may be changed": (
        "ALTER TABLE inventory_ledger DISABLE TRIGGER inventory_ledger_no_change",
        "ALTER TABLE inventory_ledger ENABLE TRIGGER inventory_ledger_no_change",
        *("inventory_ledger.inventory_ledger_no_change", "ALTER TABLE inventory_ledger ENABLE TRIGGER"),
    ),
    "foreign keys are off": (
        "ALTER TABLE detalle_ventas DISABLE TRIGGER ALL",
        "ALTER TABLE detalle_ventas ENABLE TRIGGER ALL",
        *("detalle_ventas.", "ALTER TABLE detalle_ventas ENABLE TRIGGER ALL"),
    ),
    "the log may be emptied": (
        "ALTER TRIGGER bitacora_no_truncate ON bitacora RENAME TO another",
        "ALTER TRIGGER another ON bitacora RENAME TO bitacora_no_truncate",
        *("bitacora_no_truncate", "sqlmigrate"),
    ),
    "stock below zero": (
        f"ALTER TABLE productos RENAME CONSTRAINT {STOCK_CHECK} TO another",
        f"ALTER TABLE productos RENAME CONSTRAINT another TO {STOCK_CHECK}",
        *(STOCK_CHECK, "sqlmigrate"),
    ),
    "what was there was not looked at": (
        "ALTER TABLE productos ADD CONSTRAINT of_a_test CHECK (precio >= 0) NOT VALID",
        "ALTER TABLE productos DROP CONSTRAINT of_a_test",
        *("of_a_test", "VALIDATE CONSTRAINT of_a_test"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", RULES)
def test_a_rule_of_the_tables_that_is_off_is_said(open_shop: OpenShop, what: str) -> None:
    broken, mended, seen, todo = RULES[what]
    with rows(broken, mended)(open_shop):
        found = open_shop.check("--no-sale")

    assert found.failed == {"postgresql.rules"}, found.text
    assert seen in found.lines["postgresql.rules"]["seen"]
    assert todo in found.lines["postgresql.rules"]["todo"]


def test_a_postgresql_that_only_reads_is_said(open_shop: OpenShop) -> None:
    reads = "ALTER DATABASE blend_pos SET default_transaction_read_only = "
    with rows(reads + "on", "SET transaction_read_only = off; " + reads + "off")(open_shop):
        found = open_shop.check()

    assert "postgresql.durable" in found.failed
    assert "solo lee" in found.said("postgresql.durable")
    assert "sale.taken" in found.failed
