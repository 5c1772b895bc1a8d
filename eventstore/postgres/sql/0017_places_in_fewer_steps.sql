-- A claim in fewer steps: from lock 4 to their commit all claims of a programme wait for one another. What needs no lock
-- comes before it, and where nobody waits for a place there is nothing to look for but room under the cap.

SET LOCAL ROLE passage_owner;

-- Whether the case got a free place by the short way; otherwise nothing is changed, and `take_place` says what holds.
CREATE FUNCTION passage.take_unawaited_place(p_programme passage.programme_head, p_month text) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    v_capped text := CASE p_programme.cap_period WHEN 'total' THEN 'total' ELSE p_month END;
    v_rows integer;
BEGIN
    IF EXISTS (SELECT FROM passage.waiting_list WHERE programme = p_programme.programme) THEN
        RETURN false;
    END IF;
    UPDATE passage.place_counter AS c SET taken = c.taken + 1
    FROM passage.place_counter AS capped
    WHERE c.programme = p_programme.programme AND c.period IN ('total', p_month)
      AND capped.programme = c.programme AND capped.period = v_capped AND capped.taken < p_programme.places;
    GET DIAGNOSTICS v_rows = ROW_COUNT;
    IF v_rows = 1 THEN  -- the first place of a month, under a cap for all of them
        INSERT INTO passage.place_counter (programme, period, taken) VALUES (p_programme.programme, p_month, 1);
    END IF;
    RETURN v_rows > 0;
END
$$;

CREATE OR REPLACE FUNCTION passage.take_place(p_programme passage.programme_head, p_case text, p_month text) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    v_reserved_month text;
BEGIN
    CASE passage.place_for(p_programme, p_case, p_month)
    WHEN 'reserved' THEN
        SELECT reserved_month INTO v_reserved_month FROM passage.waiting_list WHERE case_id = p_case;
        IF v_reserved_month <> p_month THEN  -- reserved in one month, taken in another
            PERFORM passage.count_places(p_programme.programme, v_reserved_month, -1);
            PERFORM passage.count_places(p_programme.programme, p_month, 1);
        END IF;
    WHEN 'free' THEN
        PERFORM passage.count_places(p_programme.programme, p_month, 1);
    ELSE
        RAISE EXCEPTION 'no-place' USING ERRCODE = 'PS001';
    END CASE;
    DELETE FROM passage.waiting_list WHERE case_id = p_case;
END
$$;

CREATE OR REPLACE FUNCTION passage.change_place(
    p_programme text, p_case text, p_change text, p_month text, p_ready_at timestamptz
) RETURNS text[] LANGUAGE plpgsql AS $$
DECLARE
    v_programme passage.programme_head;
BEGIN
    IF p_change = 'take' THEN  -- the head is this append's own; without a place the append is undone
        UPDATE passage.case_head SET place_month = p_month WHERE case_id = p_case AND place_month IS NULL;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'the case holds a place already' USING ERRCODE = 'PS004';
        END IF;
    END IF;
    PERFORM pg_advisory_xact_lock(4, hashtext(p_programme));
    SELECT * INTO v_programme FROM passage.programme_head WHERE programme = p_programme;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the programme was never opened' USING ERRCODE = 'PS004';
    END IF;
    IF p_change = 'take' AND passage.take_unawaited_place(v_programme, p_month) THEN
        RETURN '{}';
    END IF;
    PERFORM passage.release_stale(v_programme, p_month);
    CASE p_change
    WHEN 'take' THEN
        PERFORM passage.take_place(v_programme, p_case, p_month);
        RETURN '{}';
    WHEN 'join' THEN
        PERFORM passage.join_waiting_list(v_programme, p_case, p_month, p_ready_at);
    WHEN 'leave' THEN
        PERFORM passage.leave_waiting_list(v_programme, p_case);
    WHEN 'free' THEN
        PERFORM passage.free_place(v_programme, p_case);
    WHEN 'allot' THEN
        NULL;
    END CASE;
    RETURN passage.allot(v_programme, p_month);
END
$$;
