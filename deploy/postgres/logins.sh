#!/bin/sh
# Runs once, on an empty server: the login of gateway, relay and worker. It may do what `passage_writer` may, which the
# migrations say; the administrator's login is for migrations alone.
set -eu
psql --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" --set password="$PASSAGE_APP_PASSWORD" <<'SQL'
CREATE ROLE passage_writer NOLOGIN;
CREATE ROLE passage_app LOGIN PASSWORD :'password' IN ROLE passage_writer;
SQL
