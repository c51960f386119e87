"""Walk a tienda's products by id, and by when they changed, without sorting them."""

import django.db.models.deletion
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models
from django.db.models.functions import Now


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("inventario", "0004_indexes")]

    operations = [
        AddIndexConcurrently("producto", models.Index(fields=["tienda", "id"], name="idx_productos_tienda_id")),
        AddIndexConcurrently(
            "producto", models.Index(fields=["tienda", "actualizado", "id"], name="idx_productos_tienda_cambios")
        ),
        migrations.AlterField(
            "producto",
            "actualizado",
            models.DateTimeField(db_default=Now(), editable=False, verbose_name="actualizado"),
        ),
        migrations.AlterField(
            "producto",
            "tienda",
            models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="productos",
                to="tiendas.tienda",
            ),
        ),
    ]
