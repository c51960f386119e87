import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("inventario", "0001_initial"),
        ("tiendas", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Venta",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("venta_id", models.UUIDField(verbose_name="venta")),
                (
                    "huella",
                    models.CharField(help_text="SHA-256 de lo que se pidió.", max_length=64, verbose_name="huella"),
                ),
                ("fecha", models.DateTimeField(verbose_name="fecha")),
                ("total", models.DecimalField(decimal_places=2, max_digits=14, verbose_name="total")),
                (
                    "metodo_pago",
                    models.CharField(
                        choices=[
                            ("EFECTIVO", "Efectivo"),
                            ("TARJETA", "Tarjeta"),
                            ("TRANSFERENCIA", "Transferencia"),
                            ("MIXTO", "Mixto"),
                        ],
                        max_length=16,
                        verbose_name="método de pago",
                    ),
                ),
                ("recibo", models.BigIntegerField(verbose_name="recibo")),
                ("epoch", models.BigIntegerField()),
                ("persistida", models.DateTimeField(verbose_name="persistida")),
                (
                    "cajero",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="cajero",
                    ),
                ),
                (
                    "terminal",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="ventas",
                        to="tiendas.terminal",
                        verbose_name="terminal",
                    ),
                ),
                (
                    "tienda",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="ventas",
                        to="tiendas.tienda",
                    ),
                ),
            ],
            options={
                "verbose_name": "venta",
                "verbose_name_plural": "ventas",
                "db_table": "ventas",
                "ordering": ["-fecha", "-id"],
            },
        ),
        migrations.CreateModel(
            name="DetalleVenta",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("linea", models.PositiveSmallIntegerField(verbose_name="línea")),
                ("cantidad", models.DecimalField(decimal_places=3, max_digits=14, verbose_name="cantidad")),
                (
                    "precio_unitario",
                    models.DecimalField(decimal_places=2, max_digits=14, verbose_name="precio unitario"),
                ),
                ("impuesto", models.DecimalField(decimal_places=2, max_digits=5, verbose_name="impuesto incluido, %")),
                ("importe", models.DecimalField(decimal_places=2, max_digits=14, verbose_name="importe")),
                (
                    "producto",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="inventario.producto",
                    ),
                ),
                (
                    "venta",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="detalles",
                        to="ventas.venta",
                    ),
                ),
            ],
            options={
                "verbose_name": "detalle de venta",
                "verbose_name_plural": "detalles de venta",
                "db_table": "detalle_ventas",
                "ordering": ["venta", "linea"],
            },
        ),
        migrations.CreateModel(
            name="VentaFallida",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("venta_id", models.UUIDField(blank=True, null=True, verbose_name="venta")),
                ("huella", models.CharField(max_length=64, verbose_name="huella")),
                (
                    "motivo",
                    models.CharField(
                        choices=[
                            ("INTENTOS", "Falló en cada intento"),
                            ("EPOCA", "De antes de un arranque en frío: nunca se prometió"),
                            ("HUELLA", "La misma clave con otro contenido"),
                            ("LAPIDA", "La venta ya se había descartado"),
                            ("ILEGIBLE", "El mensaje no se puede leer"),
                        ],
                        max_length=16,
                        verbose_name="motivo",
                    ),
                ),
                ("error", models.TextField(blank=True, default="", verbose_name="error")),
                ("mensaje", models.JSONField(blank=True, null=True, verbose_name="mensaje")),
                (
                    "cuerpo",
                    models.TextField(
                        blank=True, default="", help_text="Lo que llegó, si no se pudo leer.", verbose_name="cuerpo"
                    ),
                ),
                ("con_reserva", models.BooleanField(default=False, verbose_name="con reserva")),
                ("registrada", models.DateTimeField(verbose_name="registrada")),
                (
                    "estado",
                    models.CharField(
                        choices=[
                            ("ABIERTA", "Abierta"),
                            ("REINTENTADA", "Reintentada"),
                            ("PERSISTIDA", "Persistida"),
                            ("DESCARTADA", "Descartada"),
                        ],
                        default="ABIERTA",
                        max_length=12,
                        verbose_name="estado",
                    ),
                ),
                ("resuelta", models.DateTimeField(blank=True, null=True, verbose_name="resuelta")),
                ("nota", models.CharField(blank=True, default="", max_length=200, verbose_name="nota")),
                (
                    "resuelta_por",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "tienda",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="ventas_fallidas",
                        to="tiendas.tienda",
                    ),
                ),
            ],
            options={
                "verbose_name": "venta fallida",
                "verbose_name_plural": "ventas fallidas",
                "db_table": "ventas_fallidas",
                "ordering": ["-registrada", "-id"],
            },
        ),
        migrations.AddIndex(
            model_name="venta",
            index=models.Index(fields=["tienda", "-fecha", "-id"], name="idx_ventas_tienda_fecha"),
        ),
        migrations.AddConstraint(
            model_name="venta",
            constraint=models.UniqueConstraint(fields=("tienda", "venta_id"), name="ventas_tienda_venta_id_unica"),
        ),
        migrations.AddConstraint(
            model_name="venta",
            constraint=models.UniqueConstraint(fields=("terminal", "recibo"), name="ventas_terminal_recibo_unico"),
        ),
        migrations.AddConstraint(
            model_name="venta",
            constraint=models.CheckConstraint(condition=models.Q(("total__gte", 0)), name="ventas_total_no_negativo"),
        ),
        migrations.AddConstraint(
            model_name="venta",
            constraint=models.CheckConstraint(
                condition=models.Q(("metodo_pago__in", ["EFECTIVO", "TARJETA", "TRANSFERENCIA", "MIXTO"])),
                name="ventas_metodo_pago_conocido",
            ),
        ),
        migrations.AddConstraint(
            model_name="detalleventa",
            constraint=models.UniqueConstraint(fields=("venta", "linea"), name="detalle_ventas_venta_linea_unica"),
        ),
        migrations.AddConstraint(
            model_name="detalleventa",
            constraint=models.CheckConstraint(
                condition=models.Q(("cantidad__gt", 0)), name="detalle_ventas_cantidad_positiva"
            ),
        ),
        migrations.AddConstraint(
            model_name="ventafallida",
            constraint=models.UniqueConstraint(
                fields=("tienda", "venta_id", "huella"), name="ventas_fallidas_venta_huella_unica", nulls_distinct=False
            ),
        ),
        migrations.AddConstraint(
            model_name="ventafallida",
            constraint=models.CheckConstraint(
                condition=models.Q(("estado__in", ["ABIERTA", "REINTENTADA", "PERSISTIDA", "DESCARTADA"])),
                name="ventas_fallidas_estado_conocido",
            ),
        ),
        migrations.AddConstraint(
            model_name="ventafallida",
            constraint=models.CheckConstraint(
                condition=models.Q(("motivo__in", ["INTENTOS", "EPOCA", "HUELLA", "LAPIDA", "ILEGIBLE"])),
                name="ventas_fallidas_motivo_conocido",
            ),
        ),
        migrations.AddConstraint(
            model_name="ventafallida",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("estado", "DESCARTADA"), _negated=True),
                    models.Q(
                        ("resuelta__isnull", False),
                        ("resuelta_por__isnull", False),
                        models.Q(("nota", ""), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="ventas_fallidas_descarte_con_nota",
            ),
        ),
    ]
