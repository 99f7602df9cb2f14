#!/bin/sh
# Makes PVC's databases where they are missing, on the host whose PostgreSQL leads.
set -e
ask() {
    runuser -u postgres -- psql -qAt -v ON_ERROR_STOP=1 "$@"
}
for name in pvcdns pvcapi; do
    there=$(ask -c "SELECT 1 FROM pg_database WHERE datname = '$name'" postgres)
    [ -n "$there" ] || ask -c "CREATE DATABASE $name OWNER $name" postgres
done
if [ -z "$(ask -c "SELECT to_regclass('domains')" pvcdns)" ]; then
    { echo "SET ROLE pvcdns;"; cat /usr/share/pdns-backend-pgsql/schema/schema.pgsql.sql; } |
        ask -1 pvcdns
fi
