"""What parsers are given: anything, and things that are right but for one place."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson
from hypothesis import strategies as st

from blend_pos.tiendas import access

ID = UUID("0192f7a4-0000-7000-8000-000000000001")

TEXTS = st.text() | st.text(alphabet=st.characters(categories=["Cs", "Cc", "Nd", "Sm"])) | st.sampled_from(
    ["", " ", "\x00", "\ud800", "NaN", "Infinity", "1e999", "-0", "9" * 5_000, "٣", "{}", "{x}:y",
     "'; DROP TABLE ventas--",     "0001-01-01", "9999-12-31T23:59:59.999999-14:00", "0001-01-01T00:00:00+14:00",
     str(ID), f"{{{ID}}}", f"urn:uuid:{ID}"]
)  # fmt: skip
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | TEXTS | st.sampled_from([2**63, 10**30, -1, 1.5])
JSON = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3), max_leaves=8
)
PRODUCTS = st.sampled_from([ID, UUID(int=7)]).map(str)
CANTIDADES = st.integers(1, 1_000_000_000).map(lambda milli: milli / 1000)
PRECIOS = st.integers(0, 100_000_000_000).map(lambda centavos: centavos / 100)
LINES = st.fixed_dictionaries(
    {"producto_id": PRODUCTS, "cantidad": CANTIDADES}, optional={"precio": st.none() | PRECIOS}
)
METHODS = st.sampled_from(["EFECTIVO", "TARJETA", "TRANSFERENCIA", "MIXTO"])
PAGOS = st.fixed_dictionaries(
    {"metodo": METHODS, "importe": PRECIOS},
    optional={"recibido": st.none() | PRECIOS, "referencia": st.none() | TEXTS},
)
CARTS = st.fixed_dictionaries(
    {"items": st.lists(LINES, min_size=1, max_size=4), "metodo_pago": METHODS},
    optional={"vendida": st.datetimes(timezones=st.just(UTC)).map(datetime.isoformat)},
)
PAID_CARTS = st.fixed_dictionaries({"items": st.lists(LINES, max_size=3), "pagos": st.lists(PAGOS, max_size=3)})
HEADERS = st.text(alphabet=st.characters(max_codepoint=255)) | TEXTS.map(
    lambda text: text.encode("utf-8", "replace").decode("latin-1")
)
MOMENTS = st.datetimes(timezones=st.just(UTC)).map(datetime.isoformat)
PEDIDO = {"fecha": "x", "cajero": 1, "terminal": "x", "pago": "x", "lineas": [["a", 1]]}
KNOWN_TIENDA = access.TiendaAccess("a", "cajero", "UTC", ((str(ID), 1),))
KNOWN = access.Access(access.AccessKind.TOKEN, 1, "ana", None, {str(ID): KNOWN_TIENDA})


def travels(value: Any) -> bool:
    """Whether it is JSON: what else somebody sends, the body's reader refuses."""
    try:
        return bool(orjson.dumps(value))
    except TypeError:
        return False


@st.composite
def broken(draw: st.DrawFn, whole: st.SearchStrategy[Any]) -> Any:
    """Something that is right, but for one place in it that is anything."""
    value = orjson.loads(orjson.dumps(draw(whole.filter(travels))))
    node, key = value, draw(st.sampled_from(sorted(value)))
    while isinstance(node[key], (dict, list)) and node[key] and draw(st.booleans()):
        node = node[key]
        key = draw(st.sampled_from(sorted(node))) if isinstance(node, dict) else draw(st.integers(0, len(node) - 1))
    if draw(st.booleans()) or isinstance(node, list):
        node[key] = draw(JSON)
    else:
        del node[key]
    return value
