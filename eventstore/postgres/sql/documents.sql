-- Documents of a case, each under the case's key.

-- `digest` is keyed by the case's key, so that not even which document it was can be told once that is destroyed.
CREATE TABLE passage.document (
    case_id text NOT NULL,
    digest bytea NOT NULL CHECK (octet_length(digest) = 32),
    media_type text NOT NULL,
    key_id text NOT NULL,
    content bytea NOT NULL CHECK (octet_length(content) <= 5 * 1024 * 1024 + 28),
    received_at timestamptz NOT NULL,
    sender text NOT NULL,
    PRIMARY KEY (case_id, digest)
);
ALTER TABLE passage.document ALTER COLUMN content SET STORAGE EXTERNAL;  -- ciphertext does not compress

CREATE TRIGGER append_only BEFORE UPDATE OR TRUNCATE ON passage.document
    FOR EACH STATEMENT EXECUTE FUNCTION passage.refuse_change();
ALTER TABLE passage.document ENABLE ALWAYS TRIGGER append_only;

-- 'kept', 'known' where the case has it, or why not: 'unknown-case', 'erased', 'too-many'. Lock 3, the case's, so that
-- an erasure and a document that comes in see each other.
CREATE FUNCTION passage.keep_document(
    p_case text, p_digest bytea, p_media_type text, p_key_id text, p_content bytea, p_received_at timestamptz,
    p_sender text, p_most integer
) RETURNS text LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_erased boolean;
BEGIN
    PERFORM pg_advisory_xact_lock(3, hashtext(p_case));
    SELECT erased INTO v_erased FROM passage.case_head WHERE case_id = p_case;
    IF v_erased THEN
        RETURN 'erased';
    ELSIF v_erased IS NULL AND NOT EXISTS (SELECT FROM passage.inbox WHERE stream = p_case) THEN
        RETURN 'unknown-case';
    ELSIF EXISTS (SELECT FROM passage.document WHERE case_id = p_case AND digest = p_digest) THEN
        RETURN 'known';
    ELSIF (SELECT count(*) FROM passage.document WHERE case_id = p_case) >= p_most THEN
        RETURN 'too-many';
    END IF;
    INSERT INTO passage.document (case_id, digest, media_type, key_id, content, received_at, sender)
    VALUES (p_case, p_digest, p_media_type, p_key_id, p_content, p_received_at, p_sender);
    RETURN 'kept';
END
$$;
