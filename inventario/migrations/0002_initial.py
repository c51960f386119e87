import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("inventario", "0001_initial"),
        ("tiendas", "0001_initial"),
        ("ventas", "0001_initial"),
    ]

    operations = [
        migrations.AddField(
            model_name="inventoryledger",
            name="venta",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="movimientos",
                to="ventas.venta",
            ),
        ),
        migrations.AddField(
            model_name="producto",
            name="tienda",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="productos", to="tiendas.tienda"
            ),
        ),
        migrations.AddField(
            model_name="inventoryledger",
            name="producto",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="movimientos",
                to="inventario.producto",
            ),
        ),
        migrations.AddConstraint(
            model_name="producto",
            constraint=models.UniqueConstraint(fields=("tienda", "sku"), name="productos_tienda_sku_unico"),
        ),
        migrations.AddConstraint(
            model_name="producto",
            constraint=models.UniqueConstraint(
                condition=models.Q(("codigo_barras", ""), _negated=True),
                fields=("tienda", "codigo_barras"),
                name="productos_tienda_codigo_barras_unico",
            ),
        ),
        migrations.AddConstraint(
            model_name="producto",
            constraint=models.CheckConstraint(
                condition=models.Q(("stock_actual__gte", 0)), name="productos_stock_no_negativo"
            ),
        ),
        migrations.AddConstraint(
            model_name="producto",
            constraint=models.CheckConstraint(
                condition=models.Q(("precio__gte", 0)), name="productos_precio_no_negativo"
            ),
        ),
        migrations.AddConstraint(
            model_name="producto",
            constraint=models.CheckConstraint(
                condition=models.Q(("impuesto__gte", 0), ("impuesto__lte", 100)), name="productos_impuesto_porcentaje"
            ),
        ),
        migrations.AddConstraint(
            model_name="producto",
            constraint=models.CheckConstraint(
                condition=models.Q(("unidad__in", ["UNIDAD", "KG"])), name="productos_unidad_conocida"
            ),
        ),
        migrations.AddConstraint(
            model_name="inventoryledger",
            constraint=models.UniqueConstraint(fields=("producto", "version"), name="ledger_producto_version_unica"),
        ),
        migrations.AddConstraint(
            model_name="inventoryledger",
            constraint=models.UniqueConstraint(
                condition=models.Q(("venta__isnull", False)),
                fields=("venta", "linea", "tipo"),
                name="ledger_venta_linea_tipo_unica",
            ),
        ),
        migrations.AddConstraint(
            model_name="inventoryledger",
            constraint=models.UniqueConstraint(
                condition=models.Q(("operacion__isnull", False)),
                fields=("producto", "operacion"),
                name="ledger_producto_operacion_unica",
            ),
        ),
        migrations.AddConstraint(
            model_name="inventoryledger",
            constraint=models.CheckConstraint(condition=models.Q(("saldo__gte", 0)), name="ledger_saldo_no_negativo"),
        ),
        migrations.AddConstraint(
            model_name="inventoryledger",
            constraint=models.CheckConstraint(
                condition=models.Q(("tipo__in", ["INICIAL", "VENTA", "COMPRA", "AJUSTE", "DEVOLUCION"])),
                name="ledger_tipo_conocido",
            ),
        ),
        migrations.AddConstraint(
            model_name="inventoryledger",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("tipo", "VENTA"), _negated=True),
                    models.Q(("delta__lt", 0), ("linea__isnull", False), ("venta__isnull", False)),
                    _connector="OR",
                ),
                name="ledger_venta_con_su_linea",
            ),
        ),
    ]
