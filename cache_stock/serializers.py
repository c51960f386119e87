"""What the API of stock takes and gives, as the schema shows it."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from cache_stock.operations import as_decimal
from cache_stock.products import LiveProduct
from inventario.models import Unidad
from inventario.selectors import Since

MOST_A_PAGE = 500
MOST_LIVE = 100
CURSOR_SEPARATOR = "~"
EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
LATEST = datetime(9000, 1, 1, tzinfo=UTC)


class WarmupSerializer(serializers.Serializer[dict[str, Any]]):
    """What a warmup did."""

    productos_cacheados = serializers.IntegerField(help_text=_("Productos activos que quedaron en Redis."))
    mensaje = serializers.CharField()


class StatsSerializer(serializers.Serializer[dict[str, Any]]):
    """The tienda's cache, and the server's memory."""

    total_keys = serializers.IntegerField(help_text=_("Productos calientes de la tienda."))
    memoria_usada_mb = serializers.FloatField(help_text=_("Memoria del servidor de Redis."))
    hits = serializers.IntegerField(help_text=_("Productos que una venta buscó y estaban."))
    misses = serializers.IntegerField(help_text=_("Productos que una venta buscó y no estaban."))
    hit_rate = serializers.FloatField(allow_null=True, help_text=_("Porcentaje; null antes de la primera búsqueda."))


class FlushSerializer(serializers.Serializer[dict[str, Any]]):
    """What was forgotten."""

    keys_eliminadas = serializers.IntegerField()
    mensaje = serializers.CharField()


class ProductSerializer(serializers.Serializer[dict[str, Any]]):
    """A product, and what can be sold of it now."""

    id = serializers.UUIDField()
    sku = serializers.CharField()
    codigo_barras = serializers.CharField()
    nombre = serializers.CharField()
    unidad = serializers.ChoiceField(Unidad.choices)
    precio = serializers.DecimalField(max_digits=14, decimal_places=2, coerce_to_string=False)
    impuesto = serializers.DecimalField(
        max_digits=5, decimal_places=2, coerce_to_string=False, help_text=_("Porcentaje, incluido en el precio.")
    )
    stock_actual = serializers.DecimalField(max_digits=14, decimal_places=3, coerce_to_string=False)
    disponible = serializers.DecimalField(
        max_digits=14,
        decimal_places=3,
        coerce_to_string=False,
        allow_null=True,
        help_text=_("Lo que se puede vender ahora; null mientras Redis no lo sabe."),
    )
    is_active = serializers.BooleanField()
    catalogo_version = serializers.IntegerField()
    actualizado = serializers.DateTimeField(help_text=_("El último cambio que no fue una venta."))


class ProductPageSerializer(serializers.Serializer[dict[str, Any]]):
    """A page of a search, or of what changed."""

    count = serializers.IntegerField(allow_null=True, help_text=_("De toda la búsqueda; null con `desde`."))
    next = serializers.URLField(allow_null=True, help_text=_("La página que sigue; null en la última."))
    previous = serializers.URLField(allow_null=True)
    hasta = serializers.CharField(
        allow_null=True, help_text=_("El `desde` de la próxima vez. Es opaco. null sin `desde`.")
    )
    results = ProductSerializer(many=True)


class LiveStockSerializer(serializers.Serializer[dict[str, Any]]):
    """What can be sold now, by product."""

    disponible = serializers.DictField(
        child=serializers.FloatField(allow_null=True),
        help_text=_("Por id del producto; null mientras Redis no lo sabe, o si el producto no es de la tienda."),
    )


class LiveStockQuerySerializer(serializers.Serializer[dict[str, Any]]):
    """Which products."""

    id = serializers.ListField(child=serializers.UUIDField(), min_length=1, max_length=MOST_LIVE)


class ProductQuerySerializer(serializers.Serializer[dict[str, Any]]):
    """What may be asked of GET productos."""

    q = serializers.CharField(
        required=False,
        allow_blank=True,
        default="",
        max_length=100,
        help_text=_("Palabras del nombre, SKU o código de barras; el código exacto sale primero."),
    )
    desde = serializers.CharField(
        required=False,
        allow_blank=True,
        max_length=120,
        help_text=_(
            "Lo que cambió, activo o no, desde la respuesta cuyo `hasta` es este, o desde una fecha ISO 8601 con su "
            "zona; vacío: todo. Puede repetir productos, nunca le falta uno."
        ),
    )
    pagina = serializers.IntegerField(required=False, default=1, min_value=1, max_value=10_000)
    limite = serializers.IntegerField(required=False, default=50, min_value=1, max_value=MOST_A_PAGE)

    def validate_desde(self, value: str) -> Since:
        """Where the reader is."""
        since = read_since(value)
        if since is None:
            raise serializers.ValidationError(_("Ni es un `hasta` recibido, ni una fecha ISO 8601 con su zona."))
        return since

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """One of the two."""
        if attrs["q"] and "desde" in attrs:
            raise serializers.ValidationError({"desde": _("Con `q` no: o se busca, o se pide lo que cambió.")})
        return attrs


def write_since(since: Since) -> str:
    """As `hasta` shows it."""
    at = _write_moment(since.at)
    if since.after is None or since.until is None:
        return at
    return CURSOR_SEPARATOR.join((at, str(since.after), _write_moment(since.until)))


def read_since(text: str) -> Since | None:
    """The other way round; a moment alone is taken, too. None where it is neither."""
    if text == "":
        return Since(EARLIEST)
    at, *rest = text.split(CURSOR_SEPARATOR)
    moment = _read_moment(at)
    if moment is None or not rest:
        return Since(moment) if moment else None
    try:
        after, until = rest
        limit = _read_moment(until)
        return Since(moment, UUID(after), limit) if limit else None
    except ValueError:
        return None


def _write_moment(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _read_moment(text: str) -> datetime | None:
    """A moment with its offset. A plus sign that was not encoded arrives as a space."""
    try:
        moment = parse_datetime(text.strip().replace(" ", "+") if "T" in text else text)
    except ValueError:
        return None
    if moment is None or moment.tzinfo is None:
        return None
    return min(max(moment, EARLIEST), LATEST)


def product_body(live: LiveProduct) -> dict[str, Any]:
    """A product as ProductSerializer describes it; written by hand, since a page of them is asked for often."""
    product = live.producto
    return {
        "id": product.pk,
        "sku": product.sku,
        "codigo_barras": product.codigo_barras,
        "nombre": product.nombre,
        "unidad": product.unidad,
        "precio": product.precio,
        "impuesto": product.impuesto,
        "stock_actual": product.stock_actual,
        "disponible": None if live.disponible_milli is None else as_decimal(max(live.disponible_milli, 0)),
        "is_active": product.is_active,
        "catalogo_version": product.catalogo_version,
        "actualizado": product.actualizado,
    }
