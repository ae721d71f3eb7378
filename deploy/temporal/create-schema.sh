#!/bin/sh
# Creates Temporal's two databases and brings their schemas to the version of this image.
# Safe to run at every start: what exists stays, and an upgrade of the image applies only the missing versions.
# SQL_HOST, SQL_USER and SQL_PASSWORD come from the environment.
set -eu

sql() {
  database=$1
  shift
  temporal-sql-tool --plugin postgres12 --ep "$SQL_HOST" -p 5432 -u "$SQL_USER" --db "$database" "$@"
}

for pair in temporal:temporal temporal_visibility:visibility; do
  database=${pair%%:*}
  sql "$database" create
  sql "$database" setup-schema -v 0.0
  sql "$database" update-schema -d "/etc/temporal/schema/postgresql/v12/${pair##*:}/versioned"
done
