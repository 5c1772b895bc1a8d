-- Append to a case's stream. The order of the checks is the order of the locks in 0002.

SET LOCAL ROLE passage_owner;

-- The gate: moves the head from the expected version and hash, or does nothing.
CREATE FUNCTION passage.move_case_head(
    p_case text, p_programme text, p_expected integer, p_previous bytea, p_count integer, p_hash bytea,
    p_filed_number bigint, p_deadline timestamptz, s passage.case_summary
) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    IF p_expected = 0 THEN
        INSERT INTO passage.case_head AS h (
            case_id, programme, version, hash, filed_number, rules_version, stage, waiting_on, since, due_name,
            due_at, outcome, reason, work_permit, authorized_last_day, paroled_last_day, flags, filed_at, closed,
            held, deadline_applied)
        VALUES (p_case, p_programme, p_count, p_hash, coalesce(p_filed_number, nextval('passage.inbox_number')),
                s.rules_version, s.stage, s.waiting_on, s.since, s.due_name, s.due_at, s.outcome, s.reason,
                s.work_permit, s.authorized_last_day, s.paroled_last_day, s.flags, s.filed_at, s.closed, s.held, p_deadline)
        ON CONFLICT DO NOTHING;
    ELSIF s.stage IS NULL THEN  -- only an inbox row is decided; the head keeps its summary
        UPDATE passage.case_head SET deadline_applied = greatest(deadline_applied, p_deadline)
        WHERE case_id = p_case AND version = p_expected AND hash = p_previous;
    ELSE
        UPDATE passage.case_head SET
            version = p_expected + p_count, hash = coalesce(p_hash, hash), rules_version = s.rules_version, stage = s.stage,
            waiting_on = s.waiting_on, since = s.since, due_name = s.due_name, due_at = s.due_at,
            outcome = s.outcome, reason = s.reason, work_permit = s.work_permit,
            authorized_last_day = s.authorized_last_day, paroled_last_day = s.paroled_last_day, flags = s.flags,
            closed = s.closed, held = s.held, deadline_applied = greatest(deadline_applied, p_deadline)
        WHERE case_id = p_case AND version = p_expected AND hash = p_previous;
    END IF;
    RETURN FOUND;
END
$$;

CREATE FUNCTION passage.append_case(
    p_case text, p_programme text, p_command_id text, p_expected integer, p_previous bytea, p_recorded_at timestamptz,
    p_now timestamptz, p_actor text, p_rules_digest text, p_key_id text,
    p_types text[], p_schema_versions smallint[], p_happened timestamptz[], p_public bytea[], p_encrypted bytea[],
    p_headers bytea[], p_hashes bytea[], p_summary passage.case_summary,
    p_programme_version integer, p_read_keys bytea[], p_read_versions integer[],
    p_deadline timestamptz, p_number bigint, p_answer text, p_code text,
    p_persons bytea[], p_supporter bytea[], p_opened text[], p_partners text[], p_dropped text[],
    p_place text, p_month text, p_ready_at timestamptz
) RETURNS passage.append_result LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
    v_count integer := cardinality(p_types);
    v_closing bytea[];
    v_result passage.append_result;
    v_offered text[];
BEGIN
    IF p_programme_version IS NOT NULL OR p_place IS NOT NULL THEN
        PERFORM pg_advisory_xact_lock_shared(1, hashtext(p_programme));
    END IF;
    IF p_summary.closed THEN
        SELECT array_agg(key) INTO v_closing FROM passage.case_person WHERE case_id = p_case;
    END IF;
    IF p_read_keys IS NOT NULL OR p_persons IS NOT NULL OR v_closing IS NOT NULL THEN
        PERFORM passage.lock_persons(
            coalesce(p_read_keys, '{}') || coalesce(p_persons, '{}') || coalesce(v_closing, '{}'));
    END IF;
    IF p_deadline IS NOT NULL THEN
        PERFORM pg_advisory_xact_lock(3, hashtext(p_case));
    END IF;
    -- A message's row is decided once, which the last steps see to; any other command is looked for here.
    IF p_number IS NULL AND EXISTS (SELECT FROM passage.events WHERE stream = p_case AND command_id = p_command_id) THEN
        RETURN passage.refusal('version-conflict', p_case, p_command_id);
    END IF;
    IF p_programme_version IS NOT NULL AND p_programme_version <> coalesce(
           (SELECT version FROM passage.programme_head WHERE programme = p_programme), 0) THEN
        RETURN passage.refusal('programme-changed', p_case, p_command_id);
    END IF;
    IF p_read_keys IS NOT NULL AND passage.persons_moved(p_read_keys, p_read_versions) THEN
        RETURN passage.refusal('person-changed', p_case, p_command_id);
    END IF;
    IF p_deadline IS NOT NULL AND EXISTS (
           SELECT FROM passage.inbox  -- a bell of our own is not early or late
           WHERE stream = p_case AND answer IS NULL AND received_at < p_deadline AND source <> 'passage') THEN
        RETURN passage.refusal('message-before-deadline', p_case, p_command_id);
    END IF;
    IF NOT passage.move_case_head(p_case, p_programme, p_expected, p_previous, v_count,
                                  p_hashes[v_count], p_number, p_deadline, p_summary) THEN
        RETURN passage.refusal('version-conflict', p_case, p_command_id);
    END IF;

    v_result.status := 'appended';
    v_result.version := p_expected + v_count;
    v_result.hash := coalesce(p_hashes[v_count], p_previous);
    IF v_count > 0 THEN
        PERFORM passage.write_events(p_case, p_expected, p_recorded_at, p_actor, p_command_id, p_key_id, p_rules_digest,
                                     p_types, p_schema_versions, p_happened, p_public, p_encrypted, p_headers,
                                     p_hashes);
    END IF;
    IF p_number IS NOT NULL AND NOT passage.decide(p_case, p_number, p_answer, p_code) THEN
        IF v_count = 0 AND passage.was_decided_so(p_case, p_number, p_answer, p_code, p_command_id) THEN
            v_result.status := 'repeated';
            RETURN v_result;
        END IF;
        RAISE EXCEPTION 'message-already-decided' USING ERRCODE = 'PS003';
    END IF;
    IF p_persons IS NOT NULL OR p_supporter IS NOT NULL OR v_closing IS NOT NULL THEN
        PERFORM passage.register(p_case, p_persons, p_supporter, v_closing);
    END IF;
    IF p_expected = 0 THEN
        DELETE FROM passage.pending_filing WHERE number = p_number;
    END IF;
    IF p_opened IS NOT NULL OR p_dropped IS NOT NULL THEN
        PERFORM passage.change_calls(p_case, p_now, p_opened, p_partners, p_dropped);
    END IF;
    IF p_place IS NOT NULL THEN
        v_offered := passage.change_place(p_programme, p_case, p_place, p_month, p_ready_at);
        IF cardinality(v_offered) > 0 THEN
            SELECT * INTO v_result.bell_cases, v_result.bell_numbers, v_result.bell_messages
            FROM passage.ring(v_offered, p_programme, 'place.offered', p_now);
        END IF;
    END IF;
    RETURN v_result;
END
$$;
