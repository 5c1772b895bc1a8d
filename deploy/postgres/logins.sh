#!/bin/sh
# Runs once, on an empty server: every group of rights that the migrations speak of, and a login for each that somebody
# uses. passage_app is the login of gateway, relay and worker; the sealer, auditors and officers who erase have their
# own. Nobody logs in as the owner; the administrator's login is for migrations alone.
set -eu
psql --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" --set app="$PASSAGE_APP_PASSWORD" \
    --set seal="$PASSAGE_SEAL_PASSWORD" --set audit="$PASSAGE_AUDIT_PASSWORD" --set erase="$PASSAGE_ERASE_PASSWORD" <<'SQL'
CREATE ROLE passage_owner NOLOGIN;
CREATE ROLE passage_writer NOLOGIN;
CREATE ROLE passage_reader NOLOGIN;
CREATE ROLE passage_auditor NOLOGIN;
CREATE ROLE passage_sealer NOLOGIN;
CREATE ROLE passage_eraser NOLOGIN;
CREATE ROLE passage_app LOGIN PASSWORD :'app' IN ROLE passage_writer;
CREATE ROLE passage_seal_app LOGIN PASSWORD :'seal' IN ROLE passage_sealer;
CREATE ROLE passage_audit_app LOGIN PASSWORD :'audit' IN ROLE passage_auditor, passage_reader;
CREATE ROLE passage_erase_app LOGIN PASSWORD :'erase' IN ROLE passage_eraser;
SQL
