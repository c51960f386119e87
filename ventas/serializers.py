"""What the sales API takes and gives, as the schema shows it."""

from decimal import Decimal
from typing import Any

from django.conf import settings
from rest_framework import serializers

from ventas.models import DetalleVenta, MetodoPago, Venta
from ventas.order_body import MOST_PRICE, MOST_UNITS

ESTADOS = ("RESERVADA", "PERSISTIDA", "FALLIDA", "ANULADA")


class ItemSerializer(serializers.Serializer[dict[str, Any]]):
    """One line of a cart."""

    producto_id = serializers.UUIDField()
    cantidad = serializers.DecimalField(
        max_digits=10, decimal_places=3, min_value=Decimal("0.001"), max_value=MOST_UNITS, coerce_to_string=False
    )
    precio = serializers.DecimalField(
        max_digits=12,
        decimal_places=2,
        min_value=0,
        max_value=MOST_PRICE,
        coerce_to_string=False,
        required=False,
        allow_null=True,
        help_text="Lo que la caja mostró; si ya no es el precio, 409 y nada queda reservado.",
    )


class CheckoutSerializer(serializers.Serializer[dict[str, Any]]):
    """A cart to sell. Read by order_body.py; this describes it."""

    items = serializers.ListField(child=ItemSerializer(), min_length=1, max_length=settings.SALE_MAX_LINES)
    metodo_pago = serializers.ChoiceField(MetodoPago.choices)


class AnswerSerializer(serializers.Serializer[dict[str, Any]]):
    """What the cashier hears."""

    venta_id = serializers.UUIDField()
    estado = serializers.ChoiceField(ESTADOS)
    fecha = serializers.DateTimeField()
    total = serializers.FloatField(allow_null=True, help_text="null solo en un 202 cuyo precio aún no se conoce.")
    metodo_pago = serializers.ChoiceField(MetodoPago.choices)
    cantidad_items = serializers.IntegerField()
    mensaje = serializers.CharField()


class DetalleSerializer(serializers.ModelSerializer[DetalleVenta]):
    """One line as it was sold."""

    producto_id = serializers.UUIDField()
    cantidad = serializers.DecimalField(max_digits=14, decimal_places=3, coerce_to_string=False)
    precio_unitario = serializers.DecimalField(max_digits=14, decimal_places=2, coerce_to_string=False)
    impuesto = serializers.DecimalField(max_digits=5, decimal_places=2, coerce_to_string=False)
    importe = serializers.DecimalField(max_digits=14, decimal_places=2, coerce_to_string=False)

    class Meta:
        model = DetalleVenta
        fields = ("linea", "producto_id", "cantidad", "precio_unitario", "impuesto", "importe")


class VentaSerializer(serializers.Serializer[dict[str, Any]]):
    """A sale, wherever it is: `recibo`, `persistida` and `detalles` once it is written."""

    venta_id = serializers.UUIDField()
    estado = serializers.ChoiceField(ESTADOS)
    fecha = serializers.DateTimeField()
    total = serializers.DecimalField(max_digits=14, decimal_places=2, coerce_to_string=False)
    metodo_pago = serializers.ChoiceField(MetodoPago.choices)
    cajero_id = serializers.IntegerField()
    terminal_id = serializers.UUIDField()
    recibo = serializers.IntegerField(allow_null=True)
    persistida = serializers.DateTimeField(allow_null=True)
    detalles = DetalleSerializer(many=True)


class VentaListSerializer(serializers.ModelSerializer[Venta]):
    """A written sale in a list."""

    total = serializers.DecimalField(max_digits=14, decimal_places=2, coerce_to_string=False)
    estado = serializers.SerializerMethodField()

    class Meta:
        model = Venta
        fields = ("venta_id", "estado", "fecha", "total", "metodo_pago", "cajero_id", "terminal_id", "recibo")

    def get_estado(self, _venta: Venta) -> str:
        """A written sale is PERSISTIDA."""
        return "PERSISTIDA"
