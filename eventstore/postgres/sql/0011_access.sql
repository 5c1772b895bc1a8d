-- The access stream of each programme, legal holds, and the erasure of a case's lookups.

DO $roles$
BEGIN
    CREATE ROLE passage_eraser NOLOGIN;
EXCEPTION WHEN duplicate_object OR unique_violation THEN
    NULL;  -- roles belong to the server, not the database: another database of it has made it
END
$roles$;

SET LOCAL ROLE passage_owner;

CREATE TABLE passage.access_head (
    programme text PRIMARY KEY,
    version integer NOT NULL,
    hash bytea NOT NULL
);

-- The cases that a hold keeps from erasure right now; who placed it and why is in the access stream.
CREATE TABLE passage.legal_hold (
    case_id text PRIMARY KEY,
    programme text NOT NULL,
    placed_at timestamptz NOT NULL
);

ALTER TABLE passage.case_head ADD COLUMN erased boolean NOT NULL DEFAULT false;

-- An access stream is long, and its commands are found again by their id; no other stream pays for this index.
CREATE UNIQUE INDEX access_command ON passage.events (stream, command_id, version) WHERE stream LIKE 'access:%';

-- Where the next access event of the programme goes. Held until the transaction ends: these appends wait for each other.
CREATE FUNCTION passage.lock_access(p_programme text, OUT version integer, OUT hash bytea)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
BEGIN
    INSERT INTO passage.access_head (programme, version, hash)
    VALUES (p_programme, 0, decode(repeat('00', 32), 'hex')) ON CONFLICT DO NOTHING;
    SELECT h.version, h.hash INTO version, hash FROM passage.access_head AS h WHERE programme = p_programme FOR UPDATE;
END
$$;

-- The last event of a command that was appended before.
CREATE FUNCTION passage.access_result(p_programme text, p_command_id text)
RETURNS TABLE (version integer, hash bytea, header bytea)
LANGUAGE sql STABLE AS $$
    SELECT e.version, e.hash, e.header FROM passage.events AS e
    WHERE e.stream = 'access:' || p_programme AND e.stream LIKE 'access:%' AND e.command_id = p_command_id
    ORDER BY e.version DESC LIMIT 1
$$;

CREATE FUNCTION passage.append_access(
    p_programme text, p_command_id text, p_expected integer, p_previous bytea, p_recorded_at timestamptz, p_actor text,
    p_types text[], p_schema_versions smallint[], p_happened timestamptz[], p_public bytea[], p_headers bytea[],
    p_hashes bytea[]
) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
BEGIN
    UPDATE passage.access_head SET version = p_expected + cardinality(p_types), hash = p_hashes[cardinality(p_hashes)]
    WHERE programme = p_programme AND version = p_expected AND hash = p_previous;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the access stream is not where it was' USING ERRCODE = 'PS004';
    END IF;
    PERFORM passage.write_events(
        'access:' || p_programme, p_expected, p_recorded_at, p_actor, p_command_id, NULL, NULL, p_types,
        p_schema_versions, p_happened, p_public, array_fill(NULL::bytea, ARRAY[cardinality(p_types)]), p_headers,
        p_hashes);
END
$$;

-- Lock 3, the case's, so that a hold and an erasure see each other.
CREATE FUNCTION passage.place_hold(p_case text, p_programme text, p_placed_at timestamptz) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(3, hashtext(p_case));
    INSERT INTO passage.legal_hold (case_id, programme, placed_at) VALUES (p_case, p_programme, p_placed_at)
    ON CONFLICT DO NOTHING;
END
$$;

CREATE FUNCTION passage.release_hold(p_case text) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog AS $$
    DELETE FROM passage.legal_hold WHERE case_id = p_case
$$;

-- A key that was forgotten and comes again must not show a version at which somebody may have read it before: a
-- version is used once, whatever the key.
CREATE SEQUENCE passage.person_version;
SELECT setval('passage.person_version', (SELECT coalesce(max(version), 0) + 1 FROM passage.person_key), false);

CREATE OR REPLACE FUNCTION passage.register(
    p_case text, p_persons bytea[], p_supporter bytea[], p_closing bytea[]
) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF p_persons IS NOT NULL OR p_closing IS NOT NULL THEN
        INSERT INTO passage.person_key AS known (key, version)
        SELECT k, nextval('passage.person_version')::integer
        FROM (SELECT DISTINCT u FROM unnest(coalesce(p_persons, '{}') || coalesce(p_closing, '{}')) AS u) AS given(k)
        ON CONFLICT (key) DO UPDATE SET version = excluded.version;
        INSERT INTO passage.case_person (case_id, key) SELECT DISTINCT p_case, k FROM unnest(p_persons) AS k
        ON CONFLICT DO NOTHING;
    END IF;
    IF p_supporter IS NOT NULL THEN
        INSERT INTO passage.supporter_key (case_id, person, tax_id, phone, address)
        VALUES (p_case, p_supporter[1], p_supporter[2], p_supporter[3], p_supporter[4]);
    END IF;
END
$$;

-- First half of an erasure; the append of `PersonalDataErased` follows in the same transaction. 'ready', 'erased' where
-- that was done before, or why not. Locks in the order of 0002: persons, then the case.
CREATE FUNCTION passage.begin_erasure(p_case text) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
    v_keys bytea[];
    v_head passage.case_head;
BEGIN
    SELECT array_agg(key) INTO v_keys FROM passage.case_person WHERE case_id = p_case;
    PERFORM passage.lock_persons(v_keys);
    PERFORM pg_advisory_xact_lock(3, hashtext(p_case));
    SELECT * INTO v_head FROM passage.case_head WHERE case_id = p_case FOR UPDATE;
    IF NOT FOUND THEN
        RETURN 'unknown-case';
    ELSIF v_head.erased THEN
        RETURN 'erased';
    ELSIF NOT v_head.closed THEN
        RETURN 'case-open';
    ELSIF EXISTS (SELECT FROM passage.legal_hold WHERE case_id = p_case) THEN
        RETURN 'legal-hold';
    ELSIF EXISTS (SELECT FROM passage.inbox WHERE stream = p_case AND answer IS NULL) THEN
        RETURN 'messages-undecided';
    END IF;
    DELETE FROM passage.supporter_key WHERE case_id = p_case;
    DELETE FROM passage.case_person WHERE case_id = p_case;
    DELETE FROM passage.person_key AS known WHERE known.key = ANY (v_keys)
        AND NOT EXISTS (SELECT FROM passage.case_person AS other WHERE other.key = known.key)
        AND NOT EXISTS (SELECT FROM passage.pending_filing AS filing WHERE filing.key = known.key);
    UPDATE passage.case_head SET erased = true WHERE case_id = p_case;
    RETURN 'ready';
END
$$;

-- As in 0007, and an erased case takes nothing more, also from a process that still remembers its key.
CREATE OR REPLACE FUNCTION passage.receive(
    p_stream text, p_case text, p_programme text, p_source text, p_message_id text, p_kind text, p_body bytea,
    p_key_id text, p_digest bytea, p_received_at timestamptz, p_sender text, p_persons bytea[], p_filing boolean
) RETURNS passage.inbox_receipt LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
    v_receipt passage.inbox_receipt := passage.receipt(p_source, p_message_id);
    v_programme text := p_programme;
    v_applied timestamptz;
    v_last timestamptz;
    v_erased boolean;
BEGIN
    IF v_receipt.number IS NOT NULL THEN
        RETURN v_receipt;
    END IF;
    PERFORM pg_advisory_xact_lock(3, hashtext(p_stream));
    IF p_case IS NOT NULL THEN
        SELECT programme, deadline_applied, erased INTO v_programme, v_applied, v_erased
        FROM passage.case_head WHERE case_id = p_case;
        IF NOT FOUND AND p_filing THEN
            v_programme := p_programme;
        ELSIF NOT FOUND THEN  -- filed, and the filing itself not decided yet
            SELECT programme INTO v_programme FROM passage.inbox WHERE stream = p_case ORDER BY number LIMIT 1;
        ELSIF v_erased THEN
            RAISE EXCEPTION 'personal-data-erased' USING ERRCODE = 'PS011';
        END IF;
    ELSE
        SELECT programme INTO v_programme FROM passage.programme_head WHERE programme = p_programme;
    END IF;
    IF v_programme IS NULL THEN
        RETURN NULL;
    END IF;
    PERFORM passage.lock_number(p_stream);
    -- Within a stream numbers and moments go together: what two gateways stamped within a moment is taken as it committed.
    SELECT received_at INTO v_last FROM passage.inbox
    WHERE stream = p_stream AND source <> 'passage' ORDER BY number DESC LIMIT 1;
    INSERT INTO passage.inbox (stream, number, case_id, programme, source, message_id, kind, body, key_id, digest,
                               received_at, sender)
    VALUES (p_stream, nextval('passage.inbox_number'), p_case, v_programme, p_source, p_message_id, p_kind, p_body,
            p_key_id, p_digest, greatest(p_received_at, v_applied, v_last), p_sender)
    ON CONFLICT (source, message_id) DO NOTHING
    RETURNING number, stream, case_id, message_id, received_at, NULL, NULL, digest, true INTO v_receipt;
    IF NOT FOUND THEN  -- the same message at the same time, by another door
        RETURN passage.receipt(p_source, p_message_id);
    END IF;
    INSERT INTO passage.bell (number, stream) VALUES (v_receipt.number, p_stream);
    INSERT INTO passage.pending_filing (number, key) SELECT DISTINCT v_receipt.number, k FROM unnest(p_persons) AS k;
    RETURN v_receipt;
END
$$;

REVOKE ALL ON FUNCTION
    passage.lock_access, passage.access_result, passage.append_access, passage.place_hold, passage.release_hold,
    passage.begin_erasure
FROM PUBLIC;

-- Whoever may read a case may record that it was looked at, and nothing else by this.
GRANT EXECUTE ON FUNCTION passage.lock_access, passage.access_result, passage.append_access
TO passage_writer, passage_auditor, passage_eraser;
GRANT SELECT ON passage.access_head, passage.legal_hold
TO passage_writer, passage_reader, passage_auditor, passage_eraser;

-- Erasure is a role of its own: the application's can neither forget nor hold.
GRANT USAGE ON SCHEMA passage TO passage_eraser;
GRANT SELECT ON
    passage.events, passage.case_head, passage.programme_head, passage.inbox, passage.place_counter, passage.waiting_list
TO passage_eraser;
GRANT EXECUTE ON FUNCTION
    passage.begin_erasure, passage.place_hold, passage.release_hold, passage.append_case
TO passage_eraser;
