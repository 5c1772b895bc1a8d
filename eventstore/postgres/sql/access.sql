-- The access stream of each programme, legal holds, boarding checks on their way into it, and kept histories.

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

-- An access stream is long, and its commands are found again by their id; no other stream pays for this index.
CREATE UNIQUE INDEX access_command ON passage.events (stream, command_id, version) WHERE stream LIKE 'access:%';

-- Every body of these streams is ASCII JSON, so that this says the same as reading it as UTF-8, and may be indexed.
CREATE INDEX access_case ON passage.events (stream, (encode(public_body, 'escape')::jsonb ->> 'case'), version)
WHERE stream LIKE 'access:%';

-- Where the next access event of the programme goes. Held until the transaction ends: these appends wait for each other.
CREATE FUNCTION passage.lock_access(p_programme text, OUT version integer, OUT hash bytea)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM passage.programme_head AS h WHERE h.programme = p_programme) THEN
        RAISE EXCEPTION 'there is no such programme' USING ERRCODE = 'PS004';
    END IF;
    INSERT INTO passage.access_head (programme, version, hash)
    VALUES (p_programme, 0, decode(repeat('00', 32), 'hex')) ON CONFLICT DO NOTHING;
    SELECT h.version, h.hash INTO version, hash FROM passage.access_head AS h WHERE programme = p_programme FOR UPDATE;
END
$$;

-- The last event of a command that was appended before.
CREATE FUNCTION passage.access_result(p_programme text, p_command_id text)
RETURNS TABLE (version integer, hash bytea, message_digest bytea)
LANGUAGE sql STABLE AS $$
    SELECT e.version, e.hash, e.message_digest FROM passage.events AS e
    WHERE e.stream = 'access:' || p_programme AND e.stream LIKE 'access:%' AND e.command_id = p_command_id
    ORDER BY e.version DESC LIMIT 1
$$;

-- The second half of each record below, which says first what its events may be. Whoever appends makes the headers, so
-- they are made again here: one that says anything else than the columns would be accused for ever.
CREATE FUNCTION passage.append_access(
    p_programme text, p_command_id text, p_expected integer, p_previous bytea, p_recorded_at timestamptz, p_actor text,
    p_proof text, p_message_digest bytea, p_types text[], p_schema_versions smallint[], p_happened timestamptz[],
    p_public bytea[], p_headers bytea[],
    p_hashes bytea[]
) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_stream text := 'access:' || p_programme;
    v_previous bytea := p_previous;
BEGIN
    IF p_recorded_at NOT BETWEEN clock_timestamp() - interval '5 minutes' AND clock_timestamp() + interval '5 minutes' THEN
        RAISE EXCEPTION 'recorded at another time than now' USING ERRCODE = 'PS004';
    END IF;
    FOR n IN 1 .. cardinality(p_types) LOOP
        IF p_headers[n] IS DISTINCT FROM passage.header_of(
            v_stream, p_expected + n, p_types[n], p_schema_versions[n], p_happened[n], p_recorded_at, p_actor, p_command_id,
            NULL, NULL, p_public[n], NULL, p_proof, p_message_digest, NULL, v_previous
        ) THEN
            RAISE EXCEPTION 'a header does not say what the columns say' USING ERRCODE = 'PS004';
        END IF;
        v_previous := p_hashes[n];
    END LOOP;
    UPDATE passage.access_head SET version = p_expected + cardinality(p_types), hash = v_previous
    WHERE programme = p_programme AND version = p_expected AND hash = p_previous;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the access stream is not where it was' USING ERRCODE = 'PS004';
    END IF;
    PERFORM passage.write_events(
        v_stream, p_expected, p_previous, p_recorded_at, p_actor, p_command_id, NULL, NULL, p_proof, p_message_digest, NULL, p_types,
        p_schema_versions, p_happened, p_public, array_fill(NULL::bytea, ARRAY[cardinality(p_types)]), p_headers,
        p_hashes);
END
$$;

-- Whether the body is that of a `PersonalDataViewed` or a `CaseExported`, and of nothing else.
CREATE FUNCTION passage.is_view(p_type text, p_schema_version smallint, p_public bytea) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    v_body jsonb := convert_from(p_public, 'UTF8')::jsonb;
    v_known text[] := ARRAY['case', 'because', 'case_version'];
BEGIN
    IF p_type = 'CaseExported' AND v_body ->> 'archive_sha256' ~ '^[0-9a-f]{64}$' THEN
        v_known := v_known || 'archive_sha256'::text;
    ELSIF p_type <> 'PersonalDataViewed' THEN
        RETURN false;
    END IF;
    RETURN coalesce(
        p_schema_version = 1 AND octet_length(p_public) < 1000 AND v_body - v_known = '{}'
        AND jsonb_typeof(v_body -> 'case_version') = 'number' AND v_body ->> 'case_version' ~ '^[0-9]{1,6}$'
        AND v_body ->> 'because' ~ '^[a-z0-9-]{1,64}$'
        AND v_body ->> 'case' ~ '^[A-Z][A-Z0-9]{2}-[1-9A-HJKMNP-TV-Z]{4}-[1-9A-HJKMNP-TV-Z]{4}$', false);
EXCEPTION WHEN data_exception THEN  -- no text, or no JSON
    RETURN false;
END
$$;

-- All that an auditor's login may write: that somebody was shown a case or exported it. Its command ids are apart from
-- those of others, and it cannot claim a partner's key or the clock.
CREATE FUNCTION passage.record_views(
    p_programme text, p_command_id text, p_expected integer, p_previous bytea, p_recorded_at timestamptz, p_actor text,
    p_proof text, p_message_digest bytea, p_types text[], p_schema_versions smallint[], p_happened timestamptz[],
    p_public bytea[], p_headers bytea[],
    p_hashes bytea[]
) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF p_command_id !~ '^(view|export):[!-~]{1,200}$' OR p_actor !~ '^[!-~]{1,200}$'
       OR p_proof !~ '^(operator|token|none)(:[!-~]{1,200})?$' OR EXISTS (
           SELECT FROM unnest(p_types, p_schema_versions, p_public) AS e(type, schema_version, public_body)
           WHERE NOT passage.is_view(e.type, e.schema_version, e.public_body)) THEN
        RAISE EXCEPTION 'only what was viewed or exported, and by whom' USING ERRCODE = 'PS004';
    END IF;
    PERFORM passage.append_access(
        p_programme, p_command_id, p_expected, p_previous, p_recorded_at, p_actor, p_proof, p_message_digest, p_types,
        p_schema_versions, p_happened, p_public, p_headers, p_hashes);
END
$$;

-- A hold changes with the event that says so, and in no other way. Lock 3, the case's, so that a hold and an erasure see
-- each other.
CREATE FUNCTION passage.record_holds(
    p_programme text, p_command_id text, p_expected integer, p_previous bytea, p_recorded_at timestamptz, p_actor text,
    p_proof text, p_message_digest bytea, p_types text[], p_schema_versions smallint[], p_happened timestamptz[],
    p_public bytea[], p_headers bytea[],
    p_hashes bytea[]
) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_case text;
BEGIN
    FOR n IN 1 .. cardinality(p_types) LOOP
        v_case := convert_from(p_public[n], 'UTF8')::jsonb ->> 'case';
        PERFORM pg_advisory_xact_lock(3, hashtext(v_case));
        CASE p_types[n]
        WHEN 'LegalHoldPlaced' THEN
            INSERT INTO passage.legal_hold (case_id, programme, placed_at) VALUES (v_case, p_programme, p_happened[n])
            ON CONFLICT DO NOTHING;
        WHEN 'LegalHoldReleased' THEN
            DELETE FROM passage.legal_hold WHERE case_id = v_case;
        ELSE
            RAISE EXCEPTION 'only holds' USING ERRCODE = 'PS004';
        END CASE;
    END LOOP;
    PERFORM passage.append_access(
        p_programme, p_command_id, p_expected, p_previous, p_recorded_at, p_actor, p_proof, p_message_digest, p_types,
        p_schema_versions, p_happened, p_public, p_headers, p_hashes);
END
$$;

-- An answer that a carrier was given: a row before it leaves, an event of the access stream in a moment, and then no
-- row any more. So no check waits for another, and none is lost.
CREATE TABLE passage.boarding_check (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    programme text NOT NULL,
    carrier text NOT NULL,
    case_id text NOT NULL,
    answer text NOT NULL,
    checked_at timestamptz NOT NULL,
    noted_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON COLUMN passage.boarding_check.checked_at IS 'Domain time of the answer; noted_at is the machine''s own.';

CREATE FUNCTION passage.note_check(
    p_programme text, p_carrier text, p_case text, p_answer text, p_checked_at timestamptz
) RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    INSERT INTO passage.boarding_check (programme, carrier, case_id, answer, checked_at)
    VALUES (p_programme, p_carrier, p_case, p_answer, p_checked_at)
$$;

-- The only way out of the table: each row goes as the event that says the same. The caller holds `lock_access`.
CREATE FUNCTION passage.append_checks(
    p_programme text, p_command_id text, p_expected integer, p_previous bytea, p_recorded_at timestamptz, p_actor text,
    p_proof text, p_message_digest bytea, p_types text[], p_schema_versions smallint[], p_happened timestamptz[],
    p_public bytea[], p_headers bytea[],
    p_hashes bytea[], p_numbers bigint[]
) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_said integer;
BEGIN
    WITH gone AS (
        DELETE FROM passage.boarding_check
        WHERE number = ANY (p_numbers) AND programme = p_programme AND carrier = p_proof
        RETURNING number, case_id, answer, checked_at
    )
    SELECT count(*) INTO v_said
    FROM gone JOIN unnest(p_numbers, p_types, p_happened, p_public) AS e(number, type, happened_at, public_body)
        ON e.number = gone.number
    WHERE e.type = 'BoardingChecked' AND e.happened_at = gone.checked_at
      AND convert_from(e.public_body, 'UTF8')::jsonb = jsonb_build_object('case', gone.case_id, 'answer', gone.answer);
    IF v_said <> cardinality(p_numbers) OR v_said <> cardinality(p_types) THEN
        RAISE EXCEPTION 'a boarding check leaves as its own event' USING ERRCODE = 'PS004';
    END IF;
    PERFORM passage.append_access(
        p_programme, p_command_id, p_expected, p_previous, p_recorded_at, p_actor, p_proof,
        p_message_digest, p_types, p_schema_versions,
        p_happened, p_public, p_headers, p_hashes);
END
$$;

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

-- A run's history, with the event that tells its hash.
CREATE FUNCTION passage.record_history(
    p_programme text, p_command_id text, p_expected integer, p_previous bytea, p_recorded_at timestamptz, p_actor text,
    p_proof text, p_message_digest bytea, p_types text[], p_schema_versions smallint[], p_happened timestamptz[],
    p_public bytea[], p_headers bytea[],
    p_hashes bytea[],
    p_content bytea
) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_body jsonb := convert_from(p_public[1], 'UTF8')::jsonb;
BEGIN
    IF p_types <> ARRAY['HistoryStored'] OR v_body ->> 'run' IS NULL OR v_body ->> 'case' IS NULL THEN
        RAISE EXCEPTION 'a history is stored with its own event' USING ERRCODE = 'PS004';
    END IF;
    PERFORM passage.append_access(
        p_programme, p_command_id, p_expected, p_previous, p_recorded_at, p_actor, p_proof, p_message_digest, p_types,
        p_schema_versions, p_happened, p_public, p_headers, p_hashes);
    INSERT INTO passage.run_history (run_id, case_id, stream, version, content)
    VALUES (v_body ->> 'run', v_body ->> 'case', 'access:' || p_programme, p_expected + 1, p_content);
END
$$;
