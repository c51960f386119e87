"""The ledger is append-only: the database itself refuses to change or remove a row."""

from django.db import migrations

CREATE = """
CREATE FUNCTION inventory_ledger_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'inventory_ledger is append-only: % refused', TG_OP
        USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER inventory_ledger_no_change BEFORE UPDATE OR DELETE ON inventory_ledger
    FOR EACH ROW EXECUTE FUNCTION inventory_ledger_append_only();
CREATE TRIGGER inventory_ledger_no_truncate BEFORE TRUNCATE ON inventory_ledger
    FOR EACH STATEMENT EXECUTE FUNCTION inventory_ledger_append_only();
"""

REMOVE = """
DROP TRIGGER inventory_ledger_no_truncate ON inventory_ledger;
DROP TRIGGER inventory_ledger_no_change ON inventory_ledger;
DROP FUNCTION inventory_ledger_append_only();
"""


class Migration(migrations.Migration):
    dependencies = [("inventario", "0002_initial")]

    operations = [migrations.RunSQL(CREATE, REMOVE)]
