#!/bin/sh
# Temporal's two schemas on Postgres: created on an empty server, brought to this version on one that has them.
set -eu
schemas=/etc/temporal/schema/postgresql/v12
for pair in temporal:temporal temporal_visibility:visibility; do
    database=${pair%%:*}
    # Both fail when it is there already, which update-schema below would not survive if it were anything else.
    temporal-sql-tool --db "$database" create || true
    temporal-sql-tool --db "$database" setup-schema -v 0.0 || true
    temporal-sql-tool --db "$database" update-schema -d "$schemas/${pair##*:}/versioned"
done
