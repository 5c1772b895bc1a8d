-- The append: one call, one transaction (decision 2). A refusal that comes before the first write is a status in the
-- result; one that comes after it is an error that undoes everything.
--
-- Every transaction takes its locks in this one order, so none waits in a circle:
--   1 programme   2 persons, by key   3 a case's deadlines   (its head row)   4 places
--   5 numbering of a stream, by stream
-- Numbers of the inbox are given under 5, so that within a stream they become visible in their own order.

-- What an append checks under its locks must be what has committed, whatever a session has set.
CREATE FUNCTION passage.require_read_committed() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'only under read committed' USING ERRCODE = 'PS004';
    END IF;
END
$$;

-- The conflict, unless the command was appended before: then its first result.
CREATE FUNCTION passage.refusal(p_conflict text, p_stream text, p_command_id text) RETURNS passage.append_result
LANGUAGE sql AS $$
    SELECT coalesce(
        (SELECT ROW('repeated', e.version, e.hash, e.message_digest, NULL, NULL, NULL)::passage.append_result
         FROM passage.events AS e WHERE e.stream = p_stream AND e.command_id = p_command_id
         ORDER BY e.version DESC LIMIT 1),
        ROW(p_conflict, NULL, NULL, NULL, NULL, NULL, NULL)::passage.append_result)
$$;

-- Whether a command that answers no message has its events already. Nearly all are limits, which have an index of their
-- own, so that the look costs the same however long the case is.
CREATE FUNCTION passage.was_appended(p_stream text, p_command_id text) RETURNS boolean LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF p_command_id LIKE 'deadline:%' THEN
        RETURN EXISTS (
            SELECT FROM passage.events
            WHERE stream = p_stream AND command_id = p_command_id AND command_id LIKE 'deadline:%');
    END IF;
    RETURN EXISTS (SELECT FROM passage.events WHERE stream = p_stream AND command_id = p_command_id);
END
$$;

CREATE FUNCTION passage.append_case(
    p_case text, p_programme text, p_command_id text, p_expected integer, p_previous bytea, p_recorded_at timestamptz,
    p_now timestamptz, p_actor text, p_proof text, p_message_digest bytea,
    p_received_at timestamptz, p_rules_digest text, p_key_id text,
    p_types text[], p_schema_versions smallint[], p_happened timestamptz[], p_public bytea[], p_encrypted bytea[],
    p_headers bytea[], p_hashes bytea[], p_summary passage.case_summary,
    p_programme_version integer, p_read_keys bytea[], p_read_versions integer[],
    p_deadline timestamptz, p_number bigint, p_answer text, p_code text,
    p_persons bytea[], p_supporter bytea[], p_opened text[], p_partners text[], p_dropped text[],
    p_place passage.place_change
) RETURNS passage.append_result LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_count integer := cardinality(p_types);
    v_closing bytea[];
    v_result passage.append_result;
    v_offered text[];
BEGIN
    PERFORM passage.require_read_committed();
    IF p_programme_version IS NOT NULL OR p_place.change IS NOT NULL THEN
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
    IF p_number IS NULL AND passage.was_appended(p_case, p_command_id) THEN
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
           SELECT FROM passage.inbox  -- a notification of our own is not early or late
           WHERE stream = p_case AND answer IS NULL AND received_at < p_deadline AND source <> 'passage') THEN
        RETURN passage.refusal('message-before-deadline', p_case, p_command_id);
    END IF;
    IF NOT passage.move_case_head(p_case, p_programme, p_expected, p_previous, v_count,
                                  p_hashes[v_count], p_number, p_deadline, p_summary) THEN
        RETURN passage.refusal('version-conflict', p_case, p_command_id);
    END IF;

    v_result := passage.write_events(
        p_case, p_expected, p_previous, p_recorded_at, p_actor, p_command_id, p_key_id, p_rules_digest, p_proof,
        p_message_digest, p_received_at, p_types, p_schema_versions, p_happened, p_public, p_encrypted, p_headers, p_hashes);
    IF NOT passage.answer_row(p_case, p_number, p_answer, p_code, p_command_id, v_count) THEN
        v_result.status := 'repeated';
        RETURN v_result;
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
    IF p_place.change IS NOT NULL THEN
        v_offered := passage.change_place(p_programme, p_case, p_place);
        SELECT * INTO v_result.notified_cases, v_result.notified_numbers, v_result.notified_messages
        FROM passage.notify_offered(p_programme, v_offered, p_now);
    END IF;
    RETURN v_result;
END
$$;

-- Append to a programme's stream, alone: the exclusive lock keeps out every append that read the programme or touches
-- its places. So a case decided under the old state before this commit, or it decides under the new one; which cases are
-- notified of that is looked for after the commit.
CREATE FUNCTION passage.append_programme(
    p_programme text, p_command_id text, p_expected integer, p_previous bytea, p_recorded_at timestamptz,
    p_now timestamptz, p_actor text, p_proof text, p_message_digest bytea,
    p_received_at timestamptz, p_rules_digest text,
    p_types text[], p_schema_versions smallint[], p_happened timestamptz[], p_public bytea[], p_encrypted bytea[],
    p_headers bytea[], p_hashes bytea[], p_status text, p_rules_version text,
    p_allotments text[], p_pools text[], p_places integer[], p_periods text[], p_named boolean[], p_sets boolean[],
    p_number bigint, p_answer text, p_code text, p_month text, p_notifies text
) RETURNS passage.append_result LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_count integer := cardinality(p_types);
    v_result passage.append_result;
    v_pools text[];
    v_offered text[] := '{}';
BEGIN
    PERFORM passage.require_read_committed();
    PERFORM pg_advisory_xact_lock(1, hashtext(p_programme));
    IF p_number IS NULL AND passage.was_appended(p_programme, p_command_id) THEN
        RETURN passage.refusal('version-conflict', p_programme, p_command_id);
    END IF;
    IF NOT passage.move_programme_head(
               p_programme, p_expected, p_previous, v_count, p_hashes[v_count], p_status, p_rules_version) THEN
        RETURN passage.refusal('version-conflict', p_programme, p_command_id);
    END IF;

    v_result := passage.write_events(
        p_programme, p_expected, p_previous, p_recorded_at, p_actor, p_command_id, NULL, p_rules_digest, p_proof,
        p_message_digest, p_received_at, p_types, p_schema_versions, p_happened, p_public, p_encrypted, p_headers, p_hashes);
    IF NOT passage.answer_row(p_programme, p_number, p_answer, p_code, p_command_id, v_count) THEN
        v_result.status := 'repeated';
        RETURN v_result;
    END IF;
    IF p_pools IS NOT NULL OR p_month IS NOT NULL THEN
        v_pools := passage.set_pools(p_programme, p_allotments, p_pools, p_places, p_periods, p_named, p_sets);
    END IF;
    IF p_month IS NOT NULL THEN
        v_offered := passage.allot_pools(v_pools, p_month);
    END IF;
    SELECT * INTO v_result.notified_cases, v_result.notified_numbers, v_result.notified_messages
    FROM passage.notify_offered(p_programme, v_offered, p_now);
    IF p_notifies IS NOT NULL THEN
        INSERT INTO passage.notice (programme, kind, concerns, noticed_at)
        VALUES (p_programme, 'programme.changed', p_notifies, p_now);
    END IF;
    RETURN v_result;
END
$$;
