"""Every key of the stock's Redis. One hash tag a tienda: all of its keys, named or computed by a script, sit on one
node."""

from uuid import UUID

from blend_pos.ids import uuid_text


def stock_prefix(tienda_id: UUID) -> str:
    """What every stock key of the tienda begins with; the product's id follows."""
    return f"stock:{{{uuid_text(tienda_id)}}}:"


def stock(tienda_id: UUID, producto_id: UUID) -> str:
    """Hash: saldo, version, reservado, precio, impuesto, activo, catalogo_version."""
    return f"stock:{{{uuid_text(tienda_id)}}}:{producto_id}"


def hold_prefix(tienda_id: UUID) -> str:
    """What every hold's key of the tienda begins with; the sale's id follows."""
    return f"reserva:{{{uuid_text(tienda_id)}}}:"


def hold(tienda_id: UUID, venta_id: UUID) -> str:
    """Hash of a live hold: huella, nonce, pedido, lineas, epoch, creada, intentos, barridos. No TTL."""
    return f"reserva:{{{uuid_text(tienda_id)}}}:{venta_id}"


def journal(tienda_id: UUID) -> str:
    """Sorted set of the live holds: sale -> when the sweep looks at it next, ms; +inf for a failed sale."""
    return f"reservas:{{{uuid_text(tienda_id)}}}"


def answer_prefix(tienda_id: UUID) -> str:
    """What every answer's key of the tienda begins with; the sale's id follows."""
    return f"respuesta:{{{uuid_text(tienda_id)}}}:"


def answer(tienda_id: UUID, venta_id: UUID) -> str:
    """String with a TTL: the fingerprint and the answer of a sale that is persisted."""
    return f"respuesta:{{{uuid_text(tienda_id)}}}:{venta_id}"


def loaded(tienda_id: UUID) -> str:
    """Sorted set of the products that were loaded: product -> when that was, ms; 0 once flushed."""
    return f"productos:{{{uuid_text(tienda_id)}}}"


def meta(tienda_id: UUID) -> str:
    """Hash: run_id, master_replid, epoch, timeline (armed), token and its lease (cold start), aciertos, fallos,
    freno, calentar (asked for), calentado (when the last whole warmup began, ms), diferencias (of the last
    reconciliation)."""
    return f"meta:{{{uuid_text(tienda_id)}}}"
