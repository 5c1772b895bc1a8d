-- A reservation is void when the cap falls below what is taken, the last in turn first: its case keeps its turn, and
-- `TravelAuthorized` never takes a place that there is no longer. Places that cases hold stay theirs.

SET LOCAL ROLE passage_owner;

CREATE FUNCTION passage.release_beyond_cap(p_programme passage.programme_head, p_month text) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    v_beyond integer := -passage.count_free(p_programme, p_month);
    v_released record;
BEGIN
    IF v_beyond <= 0 THEN
        RETURN;
    END IF;
    FOR v_released IN
        SELECT case_id, reserved_month FROM passage.waiting_list
        WHERE programme = p_programme.programme AND reserved_month IS NOT NULL
          AND (p_programme.cap_period = 'total' OR reserved_month = p_month)
        ORDER BY ready_at DESC, sequence DESC LIMIT v_beyond
    LOOP
        UPDATE passage.waiting_list SET reserved_month = NULL WHERE case_id = v_released.case_id;
        PERFORM passage.count_places(p_programme.programme, v_released.reserved_month, -1);
    END LOOP;
END
$$;

CREATE OR REPLACE FUNCTION passage.release_stale(p_programme passage.programme_head, p_month text) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    v_stale record;
BEGIN
    IF p_programme.cap_period = 'month' THEN
        FOR v_stale IN
            SELECT reserved_month, count(*)::integer AS reserved FROM passage.waiting_list
            WHERE programme = p_programme.programme AND reserved_month < p_month GROUP BY reserved_month
        LOOP
            PERFORM passage.count_places(p_programme.programme, v_stale.reserved_month, -v_stale.reserved);
        END LOOP;
        UPDATE passage.waiting_list SET reserved_month = NULL
        WHERE programme = p_programme.programme AND reserved_month < p_month;
    END IF;
    PERFORM passage.release_beyond_cap(p_programme, p_month);
END
$$;
