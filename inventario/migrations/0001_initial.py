import uuid
from decimal import Decimal

import django.core.validators
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Producto",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("sku", models.CharField(max_length=64, verbose_name="SKU")),
                (
                    "codigo_barras",
                    models.CharField(blank=True, default="", max_length=64, verbose_name="código de barras"),
                ),
                ("nombre", models.CharField(max_length=200, verbose_name="nombre")),
                (
                    "unidad",
                    models.CharField(
                        choices=[("UNIDAD", "Unidad"), ("KG", "Kilogramo")],
                        default="UNIDAD",
                        max_length=8,
                        verbose_name="unidad",
                    ),
                ),
                (
                    "precio",
                    models.DecimalField(
                        decimal_places=2,
                        max_digits=14,
                        validators=[django.core.validators.MinValueValidator(Decimal("0"))],
                        verbose_name="precio",
                    ),
                ),
                (
                    "impuesto",
                    models.DecimalField(
                        decimal_places=2,
                        default=Decimal("16.00"),
                        max_digits=5,
                        validators=[
                            django.core.validators.MinValueValidator(Decimal("0")),
                            django.core.validators.MaxValueValidator(Decimal("100")),
                        ],
                        verbose_name="impuesto incluido, %",
                    ),
                ),
                (
                    "stock_actual",
                    models.DecimalField(
                        decimal_places=3,
                        default=Decimal("0"),
                        editable=False,
                        max_digits=14,
                        verbose_name="stock actual",
                    ),
                ),
                ("is_active", models.BooleanField(default=True, verbose_name="activo")),
                ("version", models.BigIntegerField(default=0, editable=False)),
                ("catalogo_version", models.BigIntegerField(default=1, editable=False)),
                ("actualizado", models.DateTimeField(auto_now=True, db_index=True, verbose_name="actualizado")),
            ],
            options={
                "verbose_name": "producto",
                "verbose_name_plural": "productos",
                "db_table": "productos",
                "ordering": ["nombre", "id"],
            },
        ),
        migrations.CreateModel(
            name="InventoryLedger",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("fecha", models.DateTimeField(verbose_name="fecha")),
                (
                    "tipo",
                    models.CharField(
                        choices=[
                            ("INICIAL", "Inicial"),
                            ("VENTA", "Venta"),
                            ("COMPRA", "Compra"),
                            ("AJUSTE", "Ajuste"),
                            ("DEVOLUCION", "Devolución"),
                        ],
                        max_length=10,
                        verbose_name="tipo",
                    ),
                ),
                ("delta", models.DecimalField(decimal_places=3, max_digits=14, verbose_name="cantidad")),
                ("saldo", models.DecimalField(decimal_places=3, max_digits=14, verbose_name="saldo")),
                ("version", models.BigIntegerField(verbose_name="versión")),
                ("linea", models.PositiveSmallIntegerField(blank=True, null=True, verbose_name="línea")),
                (
                    "operacion",
                    models.UUIDField(
                        blank=True,
                        help_text="Clave del ajuste o de la compra: una vez y no más.",
                        null=True,
                        verbose_name="operación",
                    ),
                ),
                ("motivo", models.CharField(blank=True, default="", max_length=200, verbose_name="motivo")),
                (
                    "usuario",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "movimiento de inventario",
                "verbose_name_plural": "movimientos de inventario",
                "db_table": "inventory_ledger",
                "ordering": ["-id"],
            },
        ),
    ]
