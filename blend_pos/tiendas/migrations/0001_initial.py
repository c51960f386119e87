import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import blend_pos.tiendas.models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Tienda",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("nombre", models.CharField(max_length=120, verbose_name="nombre")),
                (
                    "zona_horaria",
                    models.CharField(
                        default="America/Mexico_City",
                        max_length=64,
                        validators=[blend_pos.tiendas.models.validate_time_zone],
                        verbose_name="zona horaria",
                    ),
                ),
                ("moneda", models.CharField(default="MXN", max_length=3, verbose_name="moneda")),
                ("is_active", models.BooleanField(default=True, verbose_name="activa")),
                (
                    "epoch",
                    models.BigIntegerField(
                        default=0,
                        editable=False,
                        help_text="Número del arranque en frío de Redis que vale para esta tienda; 0: nunca armada.",
                    ),
                ),
            ],
            options={
                "verbose_name": "tienda",
                "verbose_name_plural": "tiendas",
                "db_table": "tiendas",
                "ordering": ["nombre", "id"],
            },
        ),
        migrations.CreateModel(
            name="Terminal",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("numero", models.PositiveSmallIntegerField(verbose_name="número")),
                ("nombre", models.CharField(max_length=60, verbose_name="nombre")),
                ("ultimo_recibo", models.BigIntegerField(default=0, editable=False, verbose_name="último recibo")),
                ("is_active", models.BooleanField(default=True, verbose_name="activa")),
                (
                    "tienda",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="terminales", to="tiendas.tienda"
                    ),
                ),
            ],
            options={
                "verbose_name": "terminal",
                "verbose_name_plural": "terminales",
                "db_table": "terminales",
                "ordering": ["tienda", "numero"],
            },
        ),
        migrations.CreateModel(
            name="Membresia",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "rol",
                    models.CharField(
                        choices=[("cajero", "Cajero"), ("encargado", "Encargado"), ("administrador", "Administrador")],
                        default="cajero",
                        max_length=16,
                        verbose_name="rol",
                    ),
                ),
                (
                    "usuario",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="membresias",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "tienda",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="membresias", to="tiendas.tienda"
                    ),
                ),
            ],
            options={
                "verbose_name": "membresía",
                "verbose_name_plural": "membresías",
                "db_table": "membresias",
            },
        ),
        migrations.CreateModel(
            name="TokenTerminal",
            fields=[
                ("digest", models.CharField(max_length=128, primary_key=True, serialize=False)),
                ("token_key", models.CharField(db_index=True, max_length=25)),
                ("created", models.DateTimeField(auto_now_add=True)),
                ("expiry", models.DateTimeField(blank=True, null=True)),
                (
                    "rol",
                    models.CharField(
                        choices=[("cajero", "Cajero"), ("encargado", "Encargado"), ("administrador", "Administrador")],
                        default="cajero",
                        max_length=16,
                        verbose_name="rol",
                    ),
                ),
                (
                    "terminal",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="tokens", to="tiendas.terminal"
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="auth_token_set",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "token de terminal",
                "verbose_name_plural": "tokens de terminal",
                "db_table": "tokens_terminal",
            },
        ),
        migrations.AddConstraint(
            model_name="terminal",
            constraint=models.UniqueConstraint(fields=("tienda", "numero"), name="terminales_tienda_numero_unico"),
        ),
        migrations.AddConstraint(
            model_name="membresia",
            constraint=models.UniqueConstraint(fields=("usuario", "tienda"), name="membresias_usuario_tienda_unica"),
        ),
        migrations.AddConstraint(
            model_name="membresia",
            constraint=models.CheckConstraint(
                condition=models.Q(("rol__in", ["cajero", "encargado", "administrador"])),
                name="membresias_rol_conocido",
            ),
        ),
        migrations.AddConstraint(
            model_name="tokenterminal",
            constraint=models.CheckConstraint(
                condition=models.Q(("rol__in", ["cajero", "encargado", "administrador"])),
                name="tokens_terminal_rol_conocido",
            ),
        ),
    ]
