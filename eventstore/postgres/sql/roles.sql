-- Who there is. passage_owner owns everything and nobody logs in as it; the application is passage_writer and writes
-- only through functions that run as their owner.

DO $roles$
DECLARE
    role_name text;
BEGIN
    FOREACH role_name IN ARRAY ARRAY['passage_owner', 'passage_writer', 'passage_reader', 'passage_auditor',
                                     'passage_sealer', 'passage_eraser'] LOOP
        BEGIN
            EXECUTE format('CREATE ROLE %I NOLOGIN', role_name);
        EXCEPTION WHEN duplicate_object OR unique_violation THEN
            NULL;  -- roles belong to the server, not the database: another database of it has made them
        END;
    END LOOP;
    -- A type or function in pg_temp could stand in for one of the catalog inside a function that runs as the owner.
    EXECUTE format('REVOKE TEMPORARY ON DATABASE %I FROM PUBLIC', current_database());
END
$roles$;

ALTER SCHEMA passage OWNER TO passage_owner;
ALTER TABLE passage.schema_migration OWNER TO passage_owner;
SET LOCAL ROLE passage_owner;
