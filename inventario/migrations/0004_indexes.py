"""The two indexes of the checkout and of a product's history, built without stopping a live shop."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("inventario", "0003_ledger_append_only")]

    operations = [
        AddIndexConcurrently(
            "producto",
            models.Index(
                fields=["tienda", "is_active"],
                condition=models.Q(is_active=True),
                name="idx_productos_tienda_activo",
            ),
        ),
        AddIndexConcurrently(
            "inventoryledger",
            models.Index(fields=["producto", "-fecha"], name="idx_ledger_producto_fecha"),
        ),
    ]
