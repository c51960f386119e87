"""What the sales API takes and gives, as the schema shows it."""

from decimal import Decimal
from typing import Any

from django.conf import settings
from rest_framework import serializers

from ventas.models import DetalleVenta, MetodoPago, Venta
from ventas.order_body import MOST_PRICE, MOST_UNITS
from ventas.payments import KINDS, MOST_PAYMENTS, MOST_REFERENCE

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


class PaymentSerializer(serializers.Serializer[dict[str, Any]]):
    """One part of how a sale was paid."""

    metodo = serializers.ChoiceField(sorted(KINDS))
    importe = serializers.DecimalField(
        max_digits=12,
        decimal_places=2,
        min_value=Decimal("0.01"),
        max_value=MOST_PRICE,
        coerce_to_string=False,
    )
    recibido = serializers.DecimalField(
        max_digits=12,
        decimal_places=2,
        min_value=Decimal("0.01"),
        max_value=MOST_PRICE,
        coerce_to_string=False,
        required=False,
        allow_null=True,
        help_text="Del efectivo: lo que se entregó, que cubre el importe.",
    )
    referencia = serializers.CharField(
        required=False, allow_blank=True, allow_null=True, max_length=MOST_REFERENCE, help_text="No del efectivo."
    )


class CheckoutSerializer(serializers.Serializer[dict[str, Any]]):
    """A cart to sell. Read by order_body.py; this describes it."""

    items = serializers.ListField(child=ItemSerializer(), min_length=1, max_length=settings.SALE_MAX_LINES)
    metodo_pago = serializers.ChoiceField(
        MetodoPago.choices, required=False, allow_null=True, help_text="Hace falta donde no hay pagos."
    )
    pagos = serializers.ListField(
        child=PaymentSerializer(),
        min_length=1,
        max_length=MOST_PAYMENTS,
        required=False,
        allow_null=True,
        help_text="Suman el total; cada línea lleva entonces su precio. Sin pagos basta metodo_pago.",
    )
    vendida = serializers.DateTimeField(
        required=False,
        allow_null=True,
        help_text="Cuándo compró el cliente, de una caja que estuvo sin conexión: hasta hace 31 días. Antes, o en el "
        "futuro, vale la hora del servidor: el reloj de la caja está mal.",
    )


class RefusalSerializer(serializers.Serializer[dict[str, Any]]):
    """What the server had answered."""

    codigo = serializers.CharField(max_length=60, allow_blank=True)
    mensaje = serializers.CharField(max_length=400, allow_blank=True)


class SupervisorSerializer(serializers.Serializer[dict[str, Any]]):
    """An encargado or above, by name and password."""

    usuario = serializers.CharField(max_length=150)
    clave = serializers.CharField(max_length=1024, trim_whitespace=False)


class ClosureSerializer(serializers.Serializer[dict[str, Any]]):
    """Why a sale is closed, and who answers for it."""

    rechazo = RefusalSerializer()
    razon = serializers.CharField(max_length=200)
    supervisor = SupervisorSerializer(
        required=False, allow_null=True, help_text="Hace falta donde la sesión es de un cajero."
    )


class ClosingSerializer(CheckoutSerializer, ClosureSerializer):
    """The cart that was refused, as it was sent, and its closure.

    order_body.py reads the cart; this describes it. A cart that is not so is closed, too, and kept as text.
    """


class ClosedSerializer(serializers.Serializer[dict[str, Any]]):
    """It is closed."""

    venta_id = serializers.UUIDField()
    estado = serializers.CharField(help_text="ANULADA.")
    razon = serializers.CharField(help_text="La que queda: si ya estaba cerrada, la de entonces.")


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
    """A sale, wherever it is: `recibo` and `persistida` once it is written.

    Of an ANULADA whose cart the server could not read, only `venta_id`, `estado` and `fecha` are known.
    """

    venta_id = serializers.UUIDField()
    estado = serializers.ChoiceField(ESTADOS)
    fecha = serializers.DateTimeField()
    total = serializers.DecimalField(max_digits=14, decimal_places=2, coerce_to_string=False, allow_null=True)
    metodo_pago = serializers.ChoiceField(MetodoPago.choices, allow_null=True)
    cajero_id = serializers.IntegerField(allow_null=True)
    terminal_id = serializers.UUIDField(allow_null=True)
    recibo = serializers.IntegerField(allow_null=True)
    persistida = serializers.DateTimeField(allow_null=True)
    pagos = PaymentSerializer(many=True)
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
