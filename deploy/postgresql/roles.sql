-- The application's own role: it reads and writes rows, and cannot undo what is only ever added to.
--
-- The tables belong to whoever ran `manage.py migrate`. Run this as that role, in that database, after the first migrate
-- and after any that adds a table whose rows are never changed:
--
--     psql -v ON_ERROR_STOP=1 "$OWNER_URL" -f deploy/postgresql/roles.sql
--
-- Making the role takes CREATEROLE; where the owner has it not, somebody else runs CREATE ROLE blend_app LOGIN before.
-- The password comes from \password blend_app. Then DATABASE_URL of web, workers, maintenance and beat names blend_app,
-- and only migrate runs with the owner's.

DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'blend_app') THEN
        CREATE ROLE blend_app LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS;
    END IF;
END $$;

REVOKE CREATE ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO blend_app;

GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO blend_app;
GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO blend_app;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO blend_app;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO blend_app;

-- Only ever added to. The triggers say the same, to everybody; a role that does not own the table cannot take them off.
REVOKE UPDATE, DELETE ON inventory_ledger, bitacora FROM blend_app;
REVOKE UPDATE, DELETE ON ventas, detalle_ventas, pagos FROM blend_app;
-- Changed, and never removed: a failed sale was promised to somebody, and stays until it is decided, and after.
REVOKE DELETE ON ventas_fallidas, productos, tiendas, terminales FROM blend_app;
REVOKE INSERT, UPDATE, DELETE ON django_migrations FROM blend_app;
