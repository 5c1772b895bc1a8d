-- The log, and what an append wrote of it that no seal covers yet.

-- The stored format (design.md). `header` is what the hash covers and holds every column; bodies are exact bytes.
CREATE TABLE passage.events (
    stream text COLLATE "C" NOT NULL,  -- in the order of its bytes, as a map seal has it
    version integer NOT NULL CHECK (version > 0),
    event_id text NOT NULL,
    type text NOT NULL,
    schema_version smallint NOT NULL CHECK (schema_version > 0),
    happened_at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL,
    actor text NOT NULL,
    command_id text NOT NULL,
    key_id text,
    rules_digest text,
    public_body bytea NOT NULL,
    encrypted_body bytea,
    proof text NOT NULL,
    message_digest bytea NOT NULL CHECK (octet_length(message_digest) = 32),
    received_at timestamptz,
    header bytea NOT NULL,
    hash bytea NOT NULL CONSTRAINT hash_of_header CHECK (hash = sha256('\x00'::bytea || header)),
    PRIMARY KEY (stream, version),
    CHECK ((key_id IS NULL) = (encrypted_body IS NULL))
);
ALTER TABLE passage.events ALTER COLUMN encrypted_body SET STORAGE EXTERNAL;  -- ciphertext does not compress
ALTER TABLE passage.events SET (toast_tuple_target = 8160);                   -- a filing is read with its row

CREATE FUNCTION passage.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'events are append-only: % is refused', TG_OP USING ERRCODE = 'PS009';
END
$$;

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON passage.events
    FOR EACH STATEMENT EXECUTE FUNCTION passage.refuse_change();

-- Also where session_replication_role would silence ordinary triggers.
ALTER TABLE passage.events ENABLE ALWAYS TRIGGER append_only;

-- What an append wrote and no seal covers yet. A row appears when its append commits, so none is ever skipped.
CREATE TABLE passage.unsealed (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    stream text NOT NULL,
    first_version integer NOT NULL,
    last_version integer NOT NULL
);

CREATE FUNCTION passage.write_events(
    p_stream text, p_expected integer, p_recorded_at timestamptz, p_actor text, p_command_id text, p_key_id text,
    p_rules_digest text, p_proof text, p_message_digest bytea, p_received_at timestamptz,
    p_types text[], p_schema_versions smallint[], p_happened timestamptz[],
    p_public bytea[], p_encrypted bytea[], p_headers bytea[], p_hashes bytea[]
) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO passage.events (stream, version, event_id, type, schema_version, happened_at, recorded_at, actor,
                                command_id, key_id, rules_digest, public_body, encrypted_body, proof, message_digest,
                                received_at, header, hash)
    SELECT p_stream, p_expected + e.n, p_stream || ':' || (p_expected + e.n), e.type, e.schema_version, e.happened_at,
           p_recorded_at, p_actor, p_command_id, CASE WHEN e.encrypted_body IS NOT NULL THEN p_key_id END,
           p_rules_digest, e.public_body, e.encrypted_body, p_proof, p_message_digest, p_received_at,
           e.header, e.hash
    FROM unnest(p_types, p_schema_versions, p_happened, p_public, p_encrypted, p_headers, p_hashes) WITH ORDINALITY
        AS e(type, schema_version, happened_at, public_body, encrypted_body, header, hash, n);
    INSERT INTO passage.unsealed (stream, first_version, last_version)
    VALUES (p_stream, p_expected + 1, p_expected + cardinality(p_types));
END
$$;
