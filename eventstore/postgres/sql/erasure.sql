-- Erasure: the event and the deletions in one transaction, and neither without the other.

-- 'ready', 'erased' where that was done before, or why not. Locks in their order: persons, then the case.
CREATE FUNCTION passage.begin_erasure(p_case text) RETURNS text LANGUAGE plpgsql AS $$
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
    DELETE FROM passage.document WHERE case_id = p_case;
    DELETE FROM passage.supporter_key WHERE case_id = p_case;
    DELETE FROM passage.case_person WHERE case_id = p_case;
    DELETE FROM passage.person_key AS known WHERE known.key = ANY (v_keys)
        AND NOT EXISTS (SELECT FROM passage.case_person AS other WHERE other.key = known.key)
        AND NOT EXISTS (SELECT FROM passage.pending_filing AS filing WHERE filing.key = known.key);
    UPDATE passage.case_head SET erased = true WHERE case_id = p_case;
    RETURN 'ready';
END
$$;

-- All that an eraser's login may do to a case. `status` is that of an append, or what `begin_erasure` refuses with; a case
-- that was erased before is 'erased', with its head as it is.
CREATE FUNCTION passage.erase_case(
    p_case text, p_programme text, p_command_id text, p_expected integer, p_previous bytea, p_recorded_at timestamptz,
    p_actor text, p_proof text, p_message_digest bytea, p_schema_version smallint, p_happened_at timestamptz,
    p_public bytea, p_header bytea, p_hash bytea
) RETURNS passage.append_result LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_result passage.append_result;
BEGIN
    PERFORM passage.require_read_committed();
    IF p_header IS DISTINCT FROM passage.header_of(
        p_case, p_expected + 1, 'PersonalDataErased', p_schema_version, p_happened_at, p_recorded_at, p_actor, p_command_id,
        NULL, NULL, p_public, NULL, p_proof, p_message_digest, NULL, p_previous
    ) THEN
        RAISE EXCEPTION 'the header does not say what the columns say' USING ERRCODE = 'PS004';
    END IF;
    v_result.status := passage.begin_erasure(p_case);
    IF v_result.status = 'erased' THEN
        SELECT version, hash INTO v_result.version, v_result.hash FROM passage.case_head WHERE case_id = p_case;
    END IF;
    IF v_result.status <> 'ready' THEN
        RETURN v_result;
    END IF;
    UPDATE passage.case_head SET version = p_expected + 1, hash = p_hash
    WHERE case_id = p_case AND version = p_expected AND hash = p_previous;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'version-conflict' USING ERRCODE = 'PS005';
    END IF;
    RETURN passage.write_events(
        p_case, p_expected, p_previous, p_recorded_at, p_actor, p_command_id, NULL, NULL, p_proof, p_message_digest, NULL,
        ARRAY['PersonalDataErased'], ARRAY[p_schema_version], ARRAY[p_happened_at], ARRAY[p_public], ARRAY[NULL::bytea],
        ARRAY[p_header], ARRAY[p_hash]);
END
$$;
