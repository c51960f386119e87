"""A sale of a past epoch may have been promised, by a Redis that was replaced and came back: the label says no more."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("ventas", "0003_reconcile"),
    ]

    operations = [
        migrations.AlterField(
            model_name="ventafallida",
            name="motivo",
            field=models.CharField(
                choices=[
                    ("INTENTOS", "Falló en cada intento"),
                    ("EPOCA", "De antes de un arranque en frío"),
                    ("HUELLA", "La misma clave con otro contenido"),
                    ("LAPIDA", "La venta ya se había descartado"),
                    ("ILEGIBLE", "El mensaje no se puede leer"),
                    ("RECHAZADA", "El servidor no la tomó y la caja la cerró"),
                ],
                max_length=16,
                verbose_name="motivo",
            ),
        ),
    ]
