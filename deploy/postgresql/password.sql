-- The application's password, from the environment: `psql -f roles.sql -f password.sql`, psql 15 or newer.
\getenv app_password POSTGRES_APP_PASSWORD
ALTER ROLE blend_app PASSWORD :'app_password';
