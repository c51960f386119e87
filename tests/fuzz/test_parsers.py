"""Each parser of ours is given anything: it answers, or raises the one error that it says.

PARSERS has a row for every module that takes text or JSON apart; a new one without a row fails the first test here.
"""

import ast
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.processes import ROOT
from tests.fuzz import readers
from tests.fuzz.effort import cases

# What takes apart what somebody wrote.
READING = {
    "orjson.loads", "json.loads", "json.load", "datetime.fromisoformat", "parse_datetime", "UUID", "Decimal",
    "urlsplit", "b64decode", "csv.reader", "csv.DictReader", "ast.literal_eval",
}  # fmt: skip
PACKAGES = ("blend_pos", "ventas", "cache_stock", "inventario", "scripts")
PARSERS: dict[str, list[Callable[[Any], None]]] = {
    "blend_pos/json_io.py": [readers.json_body],
    "blend_pos/request_log.py": [readers.logged_request],
    "blend_pos/settings.py": [readers.environment],
    "blend_pos/tiendas/access.py": [readers.kept_access, readers.seat_headers],
    "blend_pos/tiendas/authentication.py": [readers.authorization],
    "blend_pos/tiendas/models.py": [readers.tienda_fields],
    "blend_pos/tiendas/sign_in.py": [readers.sign_in_tienda],
    "blend_pos/tracing/on.py": [readers.carried_traces],
    "cache_stock/intake.py": [readers.adjustment_hold],
    "cache_stock/journal.py": [readers.held_lines],
    "cache_stock/reservation.py": [readers.held_lines],
    "cache_stock/serializers.py": [readers.changes_cursor, readers.product_query, readers.live_query],
    "scripts/replay/baskets.py": [readers.baskets],
    "ventas/checkout.py": [readers.kept_answer],
    "ventas/envelopes.py": [readers.message_headers],
    "ventas/messages.py": [readers.sale_message, readers.held_request, readers.broken_sale],
    "ventas/order_body.py": [readers.checkout_body, readers.any_checkout_body, readers.idempotency_key],
    "ventas/recovery.py": [readers.sale_message],
    "ventas/short_codes.py": [readers.short_code],
    "ventas/signatures.py": [readers.signature],
    "ventas/tasks.py": [readers.task_argument],
    "ventas/views.py": [readers.sales_cursor],
}
# They read only what this project itself wrote a moment ago, or what Django has read already.
NO_PARSERS = {
    "blend_pos/ids.py": "what its callers read: order_body, messages and reservation have rows",
    "blend_pos/metrics.py": "METRICS_LISTEN, an operator's own setting",
    "cache_stock/cluster.py": "REDIS_URL, an operator's own setting, and what the nodes themselves say",
    "blend_pos/tiendas/admin_lists.py": "a filter's value; tests/fuzz/test_pages.py asks every list of the admin",
    "blend_pos/tiendas/selectors.py": "the ids of rows",
    "cache_stock/admin.py": "a form's fields, cleaned by Django; tests/fuzz/test_pages.py",
    "blend_pos/tiendas/management/commands/create_token.py": "an operator's argument",
    "cache_stock/management/tienda_command.py": "an operator's argument",
    "cache_stock/reconcile.py": "ids that the database wrote",
    "ventas/management/commands/replay_tienda.py": "what scripts/replay wrote a moment ago",
    "ventas/persistence.py": "amounts of ours",
    "cache_stock/operations.py": "numbers of ours",
    "cache_stock/rows.py": "ids that the database wrote",
    "cache_stock/tasks.py": "a signed call's argument",
    "inventario/csv_export.py": "it writes: tests/inventario/test_csv_export.py",
    "ventas/admin.py": "a search; tests/fuzz/test_pages.py asks every list of the admin",
    "ventas/broker.py": "RabbitMQ's management API, and what its transport on Redis keeps",
    "ventas/broker_setup.py": "the administrator's own addresses of the broker",
    "ventas/closing.py": "JSON that was written in the line before",
    "ventas/deploy_checks.py": "the administrator's own addresses",
    "ventas/golive/asking.py": "what web, Prometheus and Grafana answer: tests/golive/test_lines.py",
    "ventas/golive/web.py": "what Prometheus and Grafana answer: tests/golive/test_lines.py",
    "ventas/demo.py": "a catalogue of the project's own",
    "ventas/selectors.py": "amounts of ours",
    "ventas/refusals.py": "amounts of ours",
    "ventas/scaling.py": "what make bench wrote",
    "ventas/serializers.py": "bounds of the schema",
    "ventas/till.py": "the built page of the project's own",
}


def reading_modules() -> Iterator[str]:
    """The modules that call one of READING."""
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            name = path.relative_to(ROOT).as_posix()
            if "/migrations/" not in name and _reads(path):
                yield name


def _reads(path: Path) -> bool:
    calls = (node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call))
    given_something = (call for call in calls if call.args and not isinstance(call.args[0], ast.Constant))
    return any(ast.unparse(call.func) in READING for call in given_something)


def test_every_module_that_reads_has_a_row() -> None:
    found = {name for name in reading_modules() if not name.startswith("scripts/") or name in PARSERS}
    assert sorted(found - PARSERS.keys() - NO_PARSERS.keys()) == []
    assert not [name for name in (*PARSERS, *NO_PARSERS) if not (ROOT / name).is_file()]


EACH = sorted({reader for readers_ in PARSERS.values() for reader in readers_}, key=lambda reader: reader.__name__)


@pytest.mark.parametrize("reader", EACH, ids=lambda reader: reader.__name__)
def test_it_answers_or_raises_what_it_says(reader: Callable[[Any], None]) -> None:
    drawn: st.SearchStrategy[Any] = readers.GIVEN[reader.__name__]

    @cases(60)
    @given(drawn)
    def read(value: Any) -> None:
        reader(value)

    read()
