-- First half of an erasure; the append of `PersonalDataErased` follows in the same transaction. 'ready', 'erased' where
-- that was done before, or why not. Locks in their order: persons, then the case.

CREATE FUNCTION passage.begin_erasure(p_case text) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
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
