"""The application's own role of PostgreSQL: deploy/postgresql/roles.sql as it is."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from django.conf import settings
from django.db import connection
from psycopg import errors

from tests.conftest import SERVICES

ROLES = Path(settings.BASE_DIR) / "deploy" / "postgresql" / "roles.sql"


@pytest.fixture
def owner(live_db: None) -> Iterator[psycopg.Connection]:
    """The owner, in a transaction that is rolled back, roles and all."""
    url = SERVICES.postgres.database_url(connection.settings_dict["NAME"])
    with psycopg.connect(url) as opened:
        opened.execute(ROLES.read_text())
        opened.execute(ROLES.read_text())  # again: after a migrate
        yield opened
        opened.rollback()


@pytest.fixture
def app(owner: psycopg.Connection) -> psycopg.Connection:
    """As the application; a superuser steps down, and what it asks is asked as that role."""
    owner.execute("SET LOCAL ROLE blend_app")
    return owner


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE inventory_ledger SET delta = 0",
        "DELETE FROM inventory_ledger",
        "TRUNCATE inventory_ledger",
        "ALTER TABLE inventory_ledger DISABLE TRIGGER ALL",
        "DROP TRIGGER inventory_ledger_no_change ON inventory_ledger",
        "CREATE OR REPLACE FUNCTION inventory_ledger_append_only() RETURNS trigger LANGUAGE sql AS 'SELECT NULL'",
        "UPDATE bitacora SET persona = 'nadie'",
        "DELETE FROM bitacora",
        "TRUNCATE bitacora",
        "ALTER TABLE bitacora DISABLE TRIGGER bitacora_no_change",
        "DROP TABLE bitacora",
        "UPDATE ventas SET total = 0",
        "DELETE FROM detalle_ventas",
        "DELETE FROM pagos",
        "DELETE FROM ventas_fallidas",
        "TRUNCATE ventas_fallidas",
        "DELETE FROM productos",
        "DELETE FROM tiendas",
        "DELETE FROM terminales",
        "INSERT INTO django_migrations (app, name, applied) VALUES ('ventas', '9999', now())",
        "SET session_replication_role = replica",
        "CREATE TABLE mine (id int)",
        "ALTER ROLE blend_app SUPERUSER",
    ],
)
def test_it_cannot_undo_what_is_only_added_to(app: psycopg.Connection, statement: str) -> None:
    with pytest.raises(errors.InsufficientPrivilege):
        app.execute(statement)


def test_it_can_do_the_rest(app: psycopg.Connection) -> None:
    """The pipeline's test runs under it whole; here, what that one does not come by."""
    app.execute("UPDATE productos SET nombre = nombre WHERE false")
    app.execute("UPDATE ventas_fallidas SET nota = nota WHERE false")
    app.execute("DELETE FROM django_session WHERE false")
    app.execute("DELETE FROM django_admin_log WHERE false")  # whoever is deleted takes theirs along; the bitácora stays
    app.execute(
        "INSERT INTO bitacora (accion, persona, desde, objeto, razon, detalle) VALUES ('CLAVE','','','','','{}')"
    )
    with pytest.raises(errors.InsufficientPrivilege):
        app.execute("UPDATE bitacora SET razon = 'otra'")


def test_the_owner_is_refused_by_the_trigger(owner: psycopg.Connection) -> None:
    for statement in ("UPDATE bitacora SET persona = ''", "DELETE FROM bitacora", "TRUNCATE bitacora"):
        owner.execute(
            "INSERT INTO bitacora (accion, persona, desde, objeto, razon, detalle)"
            " VALUES ('CLAVE', '', '', '', '', '{}')"
        )
        owner.execute("SET CONSTRAINTS ALL IMMEDIATE; SAVEPOINT before")
        with pytest.raises(errors.IntegrityConstraintViolation):
            owner.execute(statement)
        owner.execute("ROLLBACK TO before")
