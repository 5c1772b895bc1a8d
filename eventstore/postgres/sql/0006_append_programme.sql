-- Append to a programme's stream, alone: the exclusive lock keeps out every append that read the programme or touches
-- its places, so that each case is either in the new state's bells or decided under the old state's version.

SET LOCAL ROLE passage_owner;

CREATE FUNCTION passage.move_programme_head(
    p_programme text, p_expected integer, p_previous bytea, p_count integer, p_hash bytea,
    p_status text, p_places integer, p_cap_period text, p_rules_version text
) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    IF p_expected = 0 AND p_count > 0 THEN
        INSERT INTO passage.programme_head (programme, version, hash, status, places, cap_period, rules_version)
        VALUES (p_programme, p_count, p_hash, p_status, p_places, p_cap_period, p_rules_version)
        ON CONFLICT DO NOTHING;
    ELSIF p_count = 0 THEN
        RETURN coalesce((SELECT version FROM passage.programme_head WHERE programme = p_programme), 0) = p_expected;
    ELSE
        UPDATE passage.programme_head SET
            version = p_expected + p_count, hash = p_hash, status = p_status, places = p_places,
            cap_period = p_cap_period, rules_version = p_rules_version
        WHERE programme = p_programme AND version = p_expected AND hash = p_previous;
    END IF;
    RETURN FOUND;
END
$$;

-- Who has stood longest where it stands is told first: after a suspension, places go by the moment of readiness.
CREATE FUNCTION passage.cases_to_ring(p_programme text, p_bells text) RETURNS text[] LANGUAGE sql AS $$
    SELECT coalesce(array_agg(case_id ORDER BY since, filed_number), '{}') FROM passage.case_head
    WHERE NOT closed AND programme = p_programme
      AND (p_bells = 'all' OR held OR stage = 'travel_authorization' OR waiting_on IN ('programme', 'applicant'))
$$;

CREATE FUNCTION passage.append_programme(
    p_programme text, p_command_id text, p_expected integer, p_previous bytea, p_recorded_at timestamptz,
    p_now timestamptz, p_actor text, p_rules_digest text,
    p_types text[], p_schema_versions smallint[], p_happened timestamptz[], p_public bytea[], p_encrypted bytea[],
    p_headers bytea[], p_hashes bytea[], p_status text, p_places integer, p_cap_period text, p_rules_version text,
    p_number bigint, p_answer text, p_code text, p_month text, p_bells text
) RETURNS passage.append_result LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
    v_count integer := cardinality(p_types);
    v_result passage.append_result;
    v_offered text[] := '{}';
    v_told record;
BEGIN
    PERFORM pg_advisory_xact_lock(1, hashtext(p_programme));
    IF p_number IS NULL AND EXISTS (
           SELECT FROM passage.events WHERE stream = p_programme AND command_id = p_command_id) THEN
        RETURN passage.refusal('version-conflict', p_programme, p_command_id);
    END IF;
    IF NOT passage.move_programme_head(p_programme, p_expected, p_previous, v_count, p_hashes[v_count],
                                       p_status, p_places, p_cap_period, p_rules_version) THEN
        RETURN passage.refusal('version-conflict', p_programme, p_command_id);
    END IF;

    v_result.status := 'appended';
    v_result.version := p_expected + v_count;
    v_result.hash := coalesce(p_hashes[v_count], p_previous);
    IF v_count > 0 THEN
        PERFORM passage.write_events(p_programme, p_expected, p_recorded_at, p_actor, p_command_id, NULL, p_rules_digest,
                                     p_types, p_schema_versions, p_happened, p_public, p_encrypted, p_headers,
                                     p_hashes);
    END IF;
    IF p_number IS NOT NULL AND NOT passage.decide(p_programme, p_number, p_answer, p_code) THEN
        IF v_count = 0 AND passage.was_decided_so(p_programme, p_number, p_answer, p_code, p_command_id) THEN
            v_result.status := 'repeated';
            RETURN v_result;
        END IF;
        RAISE EXCEPTION 'message-already-decided' USING ERRCODE = 'PS003';
    END IF;
    IF p_month IS NOT NULL THEN
        v_offered := passage.change_place(p_programme, NULL, 'allot', p_month, NULL);
    END IF;
    SELECT * INTO v_result.bell_cases, v_result.bell_numbers, v_result.bell_messages
    FROM passage.ring(v_offered, p_programme, 'place.offered', p_now);
    IF p_bells IS NOT NULL THEN
        SELECT * INTO v_told FROM passage.ring(
            passage.cases_to_ring(p_programme, p_bells), p_programme, 'programme.changed', p_now);
        v_result.bell_cases := v_result.bell_cases || v_told.bell_cases;
        v_result.bell_numbers := v_result.bell_numbers || v_told.bell_numbers;
        v_result.bell_messages := v_result.bell_messages || v_told.bell_messages;
    END IF;
    RETURN v_result;
END
$$;
