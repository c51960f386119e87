"""Who did what: rows that the database refuses to change or remove."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

CREATE = """
CREATE FUNCTION bitacora_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'bitacora is append-only: % refused', TG_OP USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER bitacora_no_change BEFORE UPDATE OR DELETE ON bitacora
    FOR EACH ROW EXECUTE FUNCTION bitacora_append_only();
CREATE TRIGGER bitacora_no_truncate BEFORE TRUNCATE ON bitacora
    FOR EACH STATEMENT EXECUTE FUNCTION bitacora_append_only();
"""

REMOVE = """
DROP TRIGGER bitacora_no_truncate ON bitacora;
DROP TRIGGER bitacora_no_change ON bitacora;
DROP FUNCTION bitacora_append_only();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("tiendas", "0003_clearing"),
    ]

    operations = [
        migrations.CreateModel(
            name="Acto",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "fecha",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), editable=False, verbose_name="fecha"
                    ),
                ),
                (
                    "accion",
                    models.CharField(
                        choices=[
                            ("ENTRADA", "Entró"),
                            ("ENTRADA_FALLIDA", "No pudo entrar"),
                            ("BLOQUEO", "Quedó bloqueada por intentos fallidos"),
                            ("CLAVE", "Cambió una contraseña"),
                            ("CREAR", "Creó"),
                            ("CAMBIAR", "Cambió"),
                            ("BORRAR", "Borró, quitó o revocó"),
                            ("MOVIMIENTO", "Movió stock"),
                            ("REINTENTAR", "Reintentó una venta fallida"),
                            ("DESCARTAR", "Descartó una venta fallida"),
                            ("CIERRE", "Cerró una venta rechazada"),
                            ("CALENTAR", "Calentó el caché"),
                            ("VACIAR", "Vació el caché"),
                            ("REPARAR", "Reparó lo que no cuadraba"),
                        ],
                        max_length=16,
                        verbose_name="acción",
                    ),
                ),
                ("persona_id", models.BigIntegerField(null=True, verbose_name="número de la persona")),
                ("persona", models.CharField(max_length=150, verbose_name="persona")),
                (
                    "desde",
                    models.CharField(
                        help_text="Dirección y página, u orden y máquina.", max_length=300, verbose_name="desde"
                    ),
                ),
                ("objeto", models.CharField(max_length=200, verbose_name="objeto")),
                ("razon", models.CharField(max_length=500, verbose_name="razón")),
                ("detalle", models.JSONField(default=dict, verbose_name="detalle")),
                (
                    "tienda",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="tiendas.tienda",
                        verbose_name="tienda",
                    ),
                ),
            ],
            options={
                "verbose_name": "acto",
                "verbose_name_plural": "bitácora",
                "db_table": "bitacora",
                "ordering": ["-id"],
                "indexes": [
                    models.Index(fields=["tienda", "fecha"], name="idx_bitacora_tienda_fecha"),
                    models.Index(fields=["persona_id", "fecha"], name="idx_bitacora_persona_fecha"),
                    models.Index(fields=["fecha"], name="idx_bitacora_fecha"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "accion__in",
                                [
                                    "ENTRADA",
                                    "ENTRADA_FALLIDA",
                                    "BLOQUEO",
                                    "CLAVE",
                                    "CREAR",
                                    "CAMBIAR",
                                    "BORRAR",
                                    "MOVIMIENTO",
                                    "REINTENTAR",
                                    "DESCARTAR",
                                    "CIERRE",
                                    "CALENTAR",
                                    "VACIAR",
                                    "REPARAR",
                                ],
                            )
                        ),
                        name="bitacora_accion_conocida",
                    )
                ],
            },
        ),
        migrations.RunSQL(CREATE, REMOVE),
    ]
