#!/bin/sh
# Runs once, on an empty server: the login of gateway, relay and worker, and the sealer's. Each may do what its group
# may, which the migrations say; the administrator's login is for migrations alone.
set -eu
psql --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" --set password="$PASSAGE_APP_PASSWORD" \
    --set seal_password="$PASSAGE_SEAL_PASSWORD" <<'SQL'
CREATE ROLE passage_writer NOLOGIN;
CREATE ROLE passage_app LOGIN PASSWORD :'password' IN ROLE passage_writer;
CREATE ROLE passage_sealer NOLOGIN;
CREATE ROLE passage_seal_app LOGIN PASSWORD :'seal_password' IN ROLE passage_sealer;
SQL
