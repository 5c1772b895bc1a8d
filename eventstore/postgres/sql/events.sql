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
CREATE INDEX deadline_command ON passage.events (stream, command_id) WHERE command_id LIKE 'deadline:%';

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

-- `status` is 'appended', 'repeated' (then version, hash and digest are of the command's last event) or a conflict.
CREATE TYPE passage.append_result AS (
    status text, version integer, hash bytea, digest bytea,
    notified_cases text[], notified_numbers bigint[], notified_messages text[]
);

CREATE FUNCTION passage.write_events(
    p_stream text, p_expected integer, p_previous bytea, p_recorded_at timestamptz, p_actor text, p_command_id text, p_key_id text,
    p_rules_digest text, p_proof text, p_message_digest bytea, p_received_at timestamptz,
    p_types text[], p_schema_versions smallint[], p_happened timestamptz[],
    p_public bytea[], p_encrypted bytea[], p_headers bytea[], p_hashes bytea[]
) RETURNS passage.append_result LANGUAGE plpgsql AS $$
DECLARE
    v_count integer := cardinality(p_types);
    v_result passage.append_result;
BEGIN
    v_result.status := 'appended';
    v_result.version := p_expected + v_count;
    v_result.hash := coalesce(p_hashes[v_count], p_previous);
    IF v_count = 0 THEN
        RETURN v_result;
    END IF;
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
    VALUES (p_stream, p_expected + 1, p_expected + v_count);
    RETURN v_result;
END
$$;

CREATE FUNCTION passage.moment(p_at timestamptz) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT to_char(p_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
$$;

-- The canonical header of these columns, byte for byte as `eventstore/format/envelope.py` makes it.
CREATE FUNCTION passage.header_of(
    p_stream text, p_version integer, p_type text, p_schema_version smallint, p_happened_at timestamptz,
    p_recorded_at timestamptz, p_actor text, p_command_id text, p_key_id text, p_rules_digest text, p_public bytea,
    p_encrypted bytea, p_proof text, p_message_digest bytea, p_received_at timestamptz, p_previous bytea
) RETURNS bytea LANGUAGE sql STABLE AS $$
    SELECT convert_to(
        '{' || string_agg(to_json(name)::text || ':' || coalesce(value::text, 'null'), ',' ORDER BY place) || '}', 'UTF8')
    FROM (VALUES
        (1, 'actor', to_json(p_actor)), (2, 'command_id', to_json(p_command_id)),
        (3, 'encrypted_body_sha256', to_json(encode(sha256(p_encrypted), 'hex'))),
        (4, 'event_id', to_json(p_stream || ':' || p_version)), (5, 'happened_at', to_json(passage.moment(p_happened_at))),
        (6, 'key_id', to_json(p_key_id)), (7, 'message_digest', to_json(encode(p_message_digest, 'hex'))),
        (8, 'previous_hash', to_json(encode(p_previous, 'hex'))), (9, 'proof', to_json(p_proof)),
        (10, 'public_body_sha256', to_json(encode(sha256(p_public), 'hex'))),
        (11, 'received_at', to_json(passage.moment(p_received_at))),
        (12, 'recorded_at', to_json(passage.moment(p_recorded_at))), (13, 'rules_digest', to_json(p_rules_digest)),
        (14, 'schema_version', to_json(p_schema_version)), (15, 'stream', to_json(p_stream)), (16, 'type', to_json(p_type)),
        (17, 'version', to_json(p_version))
    ) AS columns(place, name, value)
$$;
