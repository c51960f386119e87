"""PostgreSQL: the tables are today's, their indexes work, and what it has committed is on disk."""

from collections.abc import Iterator, Sequence
from typing import Any

from django.apps import apps
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.models import BaseConstraint, CheckConstraint, Model, UniqueConstraint
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ventas.golive.findings import Asked, Check, Finding, Part, failed, passed

APPS = ("tiendas", "inventario", "ventas")
INDEXES = """
SELECT i.relname, x.indisvalid AND x.indisready AND x.indislive
FROM pg_index x
JOIN pg_class i ON i.oid = x.indexrelid
JOIN pg_namespace n ON n.oid = i.relnamespace
WHERE n.nspname = ANY (current_schemas(false))
"""
TRIGGERS = """
SELECT c.relname, t.tgname, t.tgenabled IN ('O', 'A')
FROM pg_trigger t
JOIN pg_class c ON c.oid = t.tgrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = ANY (current_schemas(false))
ORDER BY 1, 2
"""
CHECKS = """
SELECT k.conname, k.convalidated
FROM pg_constraint k
JOIN pg_namespace n ON n.oid = k.connamespace
WHERE n.nspname = ANY (current_schemas(false)) AND k.contype = 'c'
"""
# What migrations write besides the models: nobody changes or removes what is only added to.
OWN_TRIGGERS = {f"{table}_no_{act}" for table in ("inventory_ledger", "bitacora") for act in ("change", "truncate")}
FOREIGN_KEYS = "RI_ConstraintTrigger"  # how PostgreSQL names what keeps them; only a superuser switches these on
DURABLE = ("fsync", "full_page_writes", "synchronous_commit")


def part() -> Part:
    """Its lines."""
    return Part(
        "PostgreSQL",
        (
            Check("postgresql.migrations", gettext_lazy("Tablas al día"), migrations),
            Check("postgresql.indexes", gettext_lazy("Índices"), indexes),
            Check("postgresql.rules", gettext_lazy("Reglas: triggers y restricciones"), rules),
            Check("postgresql.durable", gettext_lazy("Escribe en disco"), durable),
        ),
        gettext_lazy("¿Corre PostgreSQL y es cierto DATABASE_URL? docs/operations.md, «503 base_no_disponible»."),
    )


def migrations(asked: Asked) -> Finding:
    """All are applied."""
    executor = MigrationExecutor(connection)
    missing = [str(migration) for migration, _back in executor.migration_plan(executor.loader.graph.leaf_nodes())]
    if missing:
        return failed(
            _("%(n)d migraciones sin aplicar: %(cuales)s") % {"n": len(missing), "cuales": _some(missing)},
            _("manage.py migrate, como dueño de las tablas. Se puede con la tienda abierta."),
        )
    return passed(_("%(n)d migraciones aplicadas") % {"n": len(executor.loader.applied_migrations)})


def indexes(asked: Asked) -> Finding:
    """Each that a table is declared with is there, and none is half built."""
    found: dict[str, bool] = dict(_rows(INDEXES))
    invalid = sorted(name for name, valid in found.items() if not valid)
    missing = sorted(_declared() - found.keys())
    if invalid:
        return failed(
            _("no valen: %(cuales)s") % {"cuales": _some(invalid)},
            _("En psql, con la tienda abierta: REINDEX INDEX CONCURRENTLY %(uno)s;") % {"uno": invalid[0]},
        )
    if missing:
        return failed(
            _("faltan: %(cuales)s") % {"cuales": _some(missing)},
            _("Alguien los borró. manage.py sqlmigrate dice cómo se hacen; con CREATE INDEX CONCURRENTLY."),
        )
    return passed(_("%(n)d, todos valen") % {"n": len(found)})


def rules(asked: Asked) -> Finding:
    """What keeps the ledger as it was written, and stock above zero, is there and switched on."""
    triggers, checks = _rows(TRIGGERS), dict(_rows(CHECKS))
    off = [(table, name) for table, name, is_on in triggers if not is_on]  # foreign keys' own among them
    invalid = sorted(name for name, valid in checks.items() if not valid)
    missing = sorted(
        (OWN_TRIGGERS - {name for _table, name, _on in triggers}) | (_named(CheckConstraint) - checks.keys())
    )
    if off:
        return failed(
            _("apagadas: %(cuales)s") % {"cuales": _some([f"{table}.{name}" for table, name in off])},
            _("En psql, como dueño de la tabla: ALTER TABLE %(tabla)s ENABLE TRIGGER %(cual)s;")
            % {"tabla": off[0][0], "cual": "ALL" if off[0][1].startswith(FOREIGN_KEYS) else off[0][1]},
        )
    if missing:
        return failed(
            _("faltan: %(cuales)s") % {"cuales": _some(missing)},
            _("Alguien las quitó. manage.py sqlmigrate dice cómo se hacen; antes, manage.py reconcile_stock --all."),
        )
    if invalid:
        return failed(
            _("sin validar: %(cuales)s") % {"cuales": _some(invalid)},
            _("En psql: ALTER TABLE … VALIDATE CONSTRAINT %(uno)s;") % {"uno": invalid[0]},
        )
    return passed(_("%(n)d, todas valen") % {"n": len(triggers) + len(checks)})


def durable(asked: Asked) -> Finding:
    """A commit survives the power."""
    settings = dict(_rows("SELECT name, setting FROM pg_settings WHERE name = ANY (%s)", [list(DURABLE)]))
    if _rows("SHOW transaction_read_only") == [("on",)]:
        return failed(
            _("solo lee: no toma ninguna venta"),
            _(
                "¿Es DATABASE_URL la de una réplica, o está puesto default_transaction_read_only? Tiene que ser el que "
                "escribe."
            ),
        )
    off = sorted(name for name in DURABLE if settings.get(name) == "off")
    if off:
        return failed(
            _("apagado: %(cuales)s") % {"cuales": ", ".join(off)},
            _("Un corte de luz pierde ventas cobradas. En postgresql.conf: %(lineas)s; y SELECT pg_reload_conf();")
            % {"lineas": ", ".join(f"{name} = on" for name in off)},
        )
    return passed(", ".join(f"{name} {settings.get(name)}" for name in DURABLE))


def _declared() -> set[str]:
    """The names of the indexes that the models have, unique constraints' among them."""
    return {index.name for model in _models() for index in model._meta.indexes} | _named(UniqueConstraint)


def _named(kind: type[BaseConstraint]) -> set[str]:
    """The names of the models' constraints of one kind."""
    return {each.name for model in _models() for each in model._meta.constraints if isinstance(each, kind)}


def _models() -> Iterator[type[Model]]:
    for label in APPS:
        yield from apps.get_app_config(label).get_models()


def _rows(query: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query, parameters)
        found: list[tuple[Any, ...]] = cursor.fetchall()
    return found


def _some(names: Sequence[str], *, most: int = 5) -> str:
    return ", ".join(names[:most]) + (" …" if len(names) > most else "")
