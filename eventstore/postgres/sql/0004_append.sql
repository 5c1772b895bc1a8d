-- The append: one call, one transaction (decision 2). A refusal that comes before the first write is a status in the
-- result; one that comes after it is an error that undoes everything.

SET LOCAL ROLE passage_owner;

CREATE TYPE passage.case_summary AS (
    rules_version text, stage text, waiting_on text, since timestamptz, due_name text, due_at timestamptz,
    outcome text, reason text, work_permit text, authorized_last_day date, paroled_last_day date, flags text[],
    filed_at timestamptz, closed boolean, held boolean
);

-- `status` is 'appended', 'repeated' (then version, hash and header are of the command's last event) or a conflict.
CREATE TYPE passage.append_result AS (
    status text, version integer, hash bytea, header bytea,
    bell_cases text[], bell_numbers bigint[], bell_messages text[]
);

-- The conflict, unless the command was appended before: then its first result.
CREATE FUNCTION passage.refusal(p_conflict text, p_stream text, p_command_id text) RETURNS passage.append_result
LANGUAGE sql AS $$
    SELECT coalesce(
        (SELECT ROW('repeated', e.version, e.hash, e.header, NULL, NULL, NULL)::passage.append_result
         FROM passage.events AS e WHERE e.stream = p_stream AND e.command_id = p_command_id
         ORDER BY e.version DESC LIMIT 1),
        ROW(p_conflict, NULL, NULL, NULL, NULL, NULL, NULL)::passage.append_result)
$$;

CREATE FUNCTION passage.lock_persons(p_keys bytea[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_lock integer;
BEGIN
    FOR v_lock IN
        SELECT DISTINCT ('x' || encode(substr(k, 1, 4), 'hex'))::bit(32)::integer FROM unnest(p_keys) AS k ORDER BY 1
    LOOP
        PERFORM pg_advisory_xact_lock(2, v_lock);
    END LOOP;
END
$$;

CREATE FUNCTION passage.persons_moved(p_keys bytea[], p_versions integer[]) RETURNS boolean LANGUAGE sql AS $$
    SELECT EXISTS (
        SELECT FROM unnest(p_keys, p_versions) AS was(key, version)
        LEFT JOIN passage.person_key AS now ON now.key = was.key
        WHERE coalesce(now.version, 0) <> was.version)
$$;

CREATE FUNCTION passage.write_events(
    p_stream text, p_expected integer, p_recorded_at timestamptz, p_actor text, p_command_id text, p_key_id text,
    p_rules_digest text, p_types text[], p_schema_versions smallint[], p_happened timestamptz[],
    p_public bytea[], p_encrypted bytea[], p_headers bytea[], p_hashes bytea[]
) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO passage.events (stream, version, event_id, type, schema_version, happened_at, recorded_at, actor,
                                command_id, key_id, rules_digest, public_body, encrypted_body, header, hash)
    SELECT p_stream, p_expected + e.n, p_stream || ':' || (p_expected + e.n), e.type, e.schema_version, e.happened_at,
           p_recorded_at, p_actor, p_command_id, CASE WHEN e.encrypted_body IS NOT NULL THEN p_key_id END,
           p_rules_digest, e.public_body, e.encrypted_body, e.header, e.hash
    FROM unnest(p_types, p_schema_versions, p_happened, p_public, p_encrypted, p_headers, p_hashes) WITH ORDINALITY
        AS e(type, schema_version, happened_at, public_body, encrypted_body, header, hash, n);
    INSERT INTO passage.unsealed (stream, first_version, last_version)
    VALUES (p_stream, p_expected + 1, p_expected + cardinality(p_types));
END
$$;

-- True where the row was undecided and has its answer now.
CREATE FUNCTION passage.decide(p_stream text, p_number bigint, p_answer text, p_code text) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
    UPDATE passage.inbox SET answer = p_answer, code = p_code, decided_at = now()
    WHERE stream = p_stream AND number = p_number AND answer IS NULL;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    DELETE FROM passage.bell WHERE number = p_number;
    RETURN true;
END
$$;

-- True where the row has exactly this answer already, by this command.
CREATE FUNCTION passage.was_decided_so(
    p_stream text, p_number bigint, p_answer text, p_code text, p_command_id text
) RETURNS boolean LANGUAGE sql AS $$
    SELECT EXISTS (
        SELECT FROM passage.inbox
        WHERE stream = p_stream AND number = p_number AND answer = p_answer AND code IS NOT DISTINCT FROM p_code
          AND source || ':' || message_id = p_command_id)
$$;

-- What changed about who is known in which case.
CREATE FUNCTION passage.register(
    p_case text, p_persons bytea[], p_supporter bytea[], p_closing bytea[]
) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF p_persons IS NOT NULL OR p_closing IS NOT NULL THEN
        INSERT INTO passage.person_key AS known (key, version)
        SELECT DISTINCT k, 1 FROM unnest(coalesce(p_persons, '{}') || coalesce(p_closing, '{}')) AS k
        ON CONFLICT (key) DO UPDATE SET version = known.version + 1;
        INSERT INTO passage.case_person (case_id, key) SELECT DISTINCT p_case, k FROM unnest(p_persons) AS k
        ON CONFLICT DO NOTHING;
    END IF;
    IF p_supporter IS NOT NULL THEN
        INSERT INTO passage.supporter_key (case_id, person, tax_id, phone, address)
        VALUES (p_case, p_supporter[1], p_supporter[2], p_supporter[3], p_supporter[4]);
    END IF;
END
$$;

CREATE FUNCTION passage.change_calls(
    p_case text, p_now timestamptz, p_opened text[], p_partners text[], p_dropped text[]
) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO passage.outbound_call (request_id, case_id, partner, opened_at)
    SELECT opened.request_id, p_case, opened.partner, p_now
    FROM unnest(p_opened, p_partners) AS opened(request_id, partner);
    UPDATE passage.outbound_call SET dropped_at = p_now
    WHERE request_id = ANY (p_dropped) AND case_id = p_case AND dropped_at IS NULL;
END
$$;
