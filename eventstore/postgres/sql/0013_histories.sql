-- Temporal's own history of each run of a case that has ended: kept for as long as the log, to be compared with it. Each
-- is told of, with its hash, by a `HistoryStored` of the access stream, in one transaction; nothing in it is personal.

SET LOCAL ROLE passage_owner;

CREATE TABLE passage.run_history (
    run_id text PRIMARY KEY,
    case_id text NOT NULL,
    stream text NOT NULL,
    version integer NOT NULL,
    content bytea NOT NULL CHECK (octet_length(content) <= 67108864),
    UNIQUE (stream, version)
);
COMMENT ON TABLE passage.run_history IS 'gzip of JSON; `stream`:`version` is the event that tells its hash and size.';
ALTER TABLE passage.run_history ALTER COLUMN content SET STORAGE EXTERNAL;  -- gzip does not compress again
CREATE INDEX run_history_case ON passage.run_history (case_id);

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON passage.run_history
    FOR EACH STATEMENT EXECUTE FUNCTION passage.refuse_change();
ALTER TABLE passage.run_history ENABLE ALWAYS TRIGGER append_only;

-- Second half of storing one; `append_access` wrote the event before, in the same transaction.
CREATE FUNCTION passage.keep_history(p_run text, p_case text, p_programme text, p_version integer, p_content bytea)
RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM passage.events AS e
        WHERE e.stream = 'access:' || p_programme AND e.version = p_version AND e.type = 'HistoryStored'
    ) THEN
        RAISE EXCEPTION 'no event tells of this history' USING ERRCODE = 'PS004';
    END IF;
    INSERT INTO passage.run_history (run_id, case_id, stream, version, content)
    VALUES (p_run, p_case, 'access:' || p_programme, p_version, p_content);
END
$$;

REVOKE ALL ON FUNCTION passage.keep_history FROM PUBLIC;
GRANT EXECUTE ON FUNCTION passage.keep_history TO passage_writer;
GRANT SELECT ON passage.run_history TO passage_writer, passage_reader, passage_auditor;
