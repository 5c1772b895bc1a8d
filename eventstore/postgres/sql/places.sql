-- Places under the cap (decision 11; eventstore/places.py says what each change means).
-- A programme's counter rows 'total' and 'YYYY-MM' both count every place; `cap_period` says which is held against
-- the cap. All changes of one programme's places are serialised by advisory lock 4, taken last.

-- A reservation counts as taken in 'total' and in its month.
CREATE TABLE passage.waiting_list (
    case_id text PRIMARY KEY,
    programme text NOT NULL,
    ready_at timestamptz NOT NULL,
    sequence bigint GENERATED ALWAYS AS IDENTITY,
    reserved_month text
);
CREATE INDEX waiting_list_order ON passage.waiting_list (programme, ready_at, sequence) WHERE reserved_month IS NULL;
CREATE INDEX waiting_list_reserved ON passage.waiting_list (programme, reserved_month) WHERE reserved_month IS NOT NULL;

CREATE TABLE passage.place_counter (
    programme text NOT NULL,
    period text NOT NULL,
    taken integer NOT NULL CHECK (taken >= 0),
    PRIMARY KEY (programme, period)
) WITH (fillfactor = 50);

CREATE FUNCTION passage.count_places(p_programme text, p_month text, p_change integer) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    v_rows integer;
BEGIN
    UPDATE passage.place_counter SET taken = taken + p_change
    WHERE programme = p_programme AND period IN ('total', p_month);
    GET DIAGNOSTICS v_rows = ROW_COUNT;
    IF v_rows < 2 THEN  -- the first place of a programme or of a month
        INSERT INTO passage.place_counter (programme, period, taken)
        SELECT p_programme, period, p_change FROM unnest(ARRAY['total', p_month]) AS period
        ON CONFLICT DO NOTHING;
    END IF;
END
$$;

CREATE FUNCTION passage.count_free(p_programme passage.programme_head, p_month text) RETURNS integer
LANGUAGE sql STABLE AS $$
    SELECT p_programme.places - coalesce((
        SELECT taken FROM passage.place_counter
        WHERE programme = p_programme.programme
          AND period = CASE p_programme.cap_period WHEN 'total' THEN 'total' ELSE p_month END), 0)
$$;

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

CREATE FUNCTION passage.release_stale(p_programme passage.programme_head, p_month text) RETURNS void
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

-- Reserves what is free for the heads of the waiting list, in their order.
CREATE FUNCTION passage.allot(p_programme passage.programme_head, p_month text) RETURNS text[]
LANGUAGE plpgsql AS $$
DECLARE
    v_free integer := passage.count_free(p_programme, p_month);
    v_cases text[];
BEGIN
    IF v_free <= 0 OR p_programme.status = 'terminated' THEN
        RETURN '{}';
    END IF;
    SELECT array_agg(head.case_id ORDER BY head.ready_at, head.sequence) INTO v_cases
    FROM (SELECT w.case_id, w.ready_at, w.sequence FROM passage.waiting_list AS w
          WHERE w.programme = p_programme.programme AND w.reserved_month IS NULL
          ORDER BY w.ready_at, w.sequence LIMIT v_free) AS head;
    IF v_cases IS NULL THEN
        RETURN '{}';
    END IF;
    UPDATE passage.waiting_list SET reserved_month = p_month WHERE case_id = ANY (v_cases);
    PERFORM passage.count_places(p_programme.programme, p_month, cardinality(v_cases));
    RETURN v_cases;
END
$$;

-- What a case finds: its own reservation, a place free to it, or none. Reads only.
CREATE FUNCTION passage.place_for(p_programme passage.programme_head, p_case text, p_month text) RETURNS text
LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_waiting passage.waiting_list;
BEGIN
    SELECT * INTO v_waiting FROM passage.waiting_list WHERE case_id = p_case;
    IF v_waiting.reserved_month = p_month
       OR (p_programme.cap_period = 'total' AND v_waiting.reserved_month IS NOT NULL) THEN
        RETURN 'reserved';
    ELSIF passage.count_free(p_programme, p_month) > 0 AND NOT EXISTS (
        SELECT FROM passage.waiting_list AS w
        WHERE w.programme = p_programme.programme AND w.case_id <> p_case
          AND (w.reserved_month IS NULL OR (p_programme.cap_period = 'month' AND w.reserved_month < p_month))
          AND (v_waiting.case_id IS NULL OR (w.ready_at, w.sequence) < (v_waiting.ready_at, v_waiting.sequence))
    ) THEN
        RETURN 'free';
    END IF;
    RETURN 'none';
END
$$;

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

CREATE FUNCTION passage.take_place(p_programme passage.programme_head, p_case text, p_month text) RETURNS void
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

CREATE FUNCTION passage.join_waiting_list(
    p_programme passage.programme_head, p_case text, p_month text, p_ready_at timestamptz
) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF passage.place_for(p_programme, p_case, p_month) <> 'none' THEN
        RAISE EXCEPTION 'place-free' USING ERRCODE = 'PS002';
    END IF;
    INSERT INTO passage.waiting_list (case_id, programme, ready_at)
    VALUES (p_case, p_programme.programme, p_ready_at) ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the case waits already' USING ERRCODE = 'PS004';
    END IF;
END
$$;

CREATE FUNCTION passage.leave_waiting_list(p_programme passage.programme_head, p_case text) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    v_reserved_month text;
BEGIN
    DELETE FROM passage.waiting_list WHERE case_id = p_case RETURNING reserved_month INTO v_reserved_month;
    IF v_reserved_month IS NOT NULL THEN
        PERFORM passage.count_places(p_programme.programme, v_reserved_month, -1);
    END IF;
END
$$;

CREATE FUNCTION passage.free_place(p_programme passage.programme_head, p_case text) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    v_month text;
BEGIN
    SELECT place_month INTO v_month FROM passage.case_head WHERE case_id = p_case;
    IF v_month IS NULL THEN
        RAISE EXCEPTION 'the case holds no place' USING ERRCODE = 'PS004';
    END IF;
    PERFORM passage.count_places(p_programme.programme, v_month, -1);
    UPDATE passage.case_head SET place_month = NULL WHERE case_id = p_case;
END
$$;

CREATE FUNCTION passage.change_place(
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
