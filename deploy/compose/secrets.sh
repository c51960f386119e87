#!/bin/sh
# Make the passwords that docker-compose.yml asks for: `sh deploy/compose/secrets.sh` writes .env.compose, once.
# Letters and digits alone: they go into addresses. 64 of them: Django warns of a SECRET_KEY below 50.
set -eu
umask 077

file=${1:-.env.compose}
if [ -e "$file" ]; then
    echo "$file is there: its passwords are those of the data. Remove it only together with the volumes." >&2
    exit 1
fi

new() { od -An -N32 -tx1 /dev/urandom | tr -d ' \n'; }

for name in SECRET_KEY POSTGRES_PASSWORD POSTGRES_APP_PASSWORD REDIS_PASSWORD RABBITMQ_PASSWORD \
    BROKER_PASSWORD_WEB BROKER_PASSWORD_WORKER BROKER_PASSWORD_MAINTENANCE BROKER_PASSWORD_BEAT \
    BROKER_PASSWORD_EXPORTER METRICS_TOKEN GRAFANA_PASSWORD; do
    echo "$name=$(new)"
done >"$file.unfinished"
mv "$file.unfinished" "$file"
echo "$file is written. Keep a copy where the shop's other keys are."
