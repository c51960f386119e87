#!/bin/sh
# Wait until PostgreSQL takes connections at DATABASE_URL, for ten minutes at most. pg_isready is postgresql-client's.
set -eu

for _ in $(seq 120); do
    if pg_isready --quiet --dbname="$DATABASE_URL"; then exit 0; fi
    sleep "${PAUSE_S:-5}"
done
echo "PostgreSQL does not answer at the address in DATABASE_URL." >&2
exit 1
