-- Places under the caps of pools (decision 11; eventstore/places.py says what each change means).
-- What is taken is counted by programme and allotment, under 'total' and under 'YYYY-MM' both; what a pool has taken is
-- the sum over the allotments that draw on it now. All changes of one pool are serialised by its advisory lock 4, the
-- last but those of numbering.

-- `turn_at` and `sequence` are the order. A reservation counts as taken, in 'total' and in its period.
CREATE TABLE passage.waiting_list (
    case_id text PRIMARY KEY,
    programme text NOT NULL,
    allotment text NOT NULL,
    pool text NOT NULL,
    turn_at timestamptz NOT NULL,
    sequence bigint GENERATED ALWAYS AS IDENTITY,
    quantity integer NOT NULL CHECK (quantity > 0),
    whole boolean NOT NULL,
    passed_over boolean NOT NULL DEFAULT false,
    reserved integer NOT NULL DEFAULT 0 CHECK (reserved BETWEEN 0 AND quantity),
    reserved_period text,
    CHECK ((reserved = 0) = (reserved_period IS NULL))
);
COMMENT ON COLUMN passage.waiting_list.whole IS 'All or nothing; false: what there is, and waits for the rest.';
CREATE INDEX waiting_list_order ON passage.waiting_list (pool, turn_at, sequence)
    WHERE reserved < quantity AND NOT passed_over;
CREATE INDEX waiting_list_reserved ON passage.waiting_list (pool, reserved_period) WHERE reserved > 0;

CREATE TABLE passage.place_counter (
    programme text NOT NULL,
    allotment text NOT NULL,
    period text NOT NULL,
    taken integer NOT NULL CHECK (taken >= 0),
    PRIMARY KEY (programme, allotment, period)
) WITH (fillfactor = 50);

CREATE FUNCTION passage.count_places(p_programme text, p_allotment text, p_period text, p_change integer) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    v_rows integer;
BEGIN
    UPDATE passage.place_counter SET taken = taken + p_change
    WHERE programme = p_programme AND allotment = p_allotment AND period IN ('total', p_period);
    GET DIAGNOSTICS v_rows = ROW_COUNT;
    IF v_rows < 2 THEN  -- the first place of an allotment or of a month
        INSERT INTO passage.place_counter (programme, allotment, period, taken)
        SELECT p_programme, p_allotment, period, p_change FROM unnest(ARRAY['total', p_period]) AS period
        ON CONFLICT DO NOTHING;
    END IF;
END
$$;

-- Negative where more is taken than the cap allows.
CREATE FUNCTION passage.count_free(p_pool passage.pool, p_month text) RETURNS integer LANGUAGE sql STABLE AS $$
    SELECT p_pool.places - coalesce(sum(c.taken), 0)::integer
    FROM passage.programme_pool AS m JOIN passage.place_counter AS c USING (programme, allotment)
    WHERE m.pool = p_pool.pool AND c.period = CASE p_pool.period WHEN 'total' THEN 'total' ELSE p_month END
$$;

-- The programmes whose cases a pool considers. One that is suspended is passed over where others draw on the pool too;
-- it would only keep its own places from itself where they do not.
CREATE FUNCTION passage.considered(p_pool text) RETURNS text[] LANGUAGE sql STABLE AS $$
    SELECT coalesce(array_agg(h.programme), '{}') FROM passage.programme_head AS h
    WHERE h.programme IN (SELECT programme FROM passage.programme_pool WHERE pool = p_pool)
      AND (h.status = 'open' OR (h.status = 'suspended' AND NOT EXISTS (
          SELECT FROM passage.programme_pool AS other WHERE other.pool = p_pool AND other.programme <> h.programme)))
$$;

-- Adds to the reservations of these cases, or takes from them where a change is negative.
CREATE FUNCTION passage.change_reserved(p_cases text[], p_changes integer[], p_month text) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    IF p_cases IS NULL THEN
        RETURN;
    END IF;
    PERFORM passage.count_places(counted.programme, counted.allotment, counted.period, counted.change) FROM (
        SELECT w.programme, w.allotment, coalesce(w.reserved_period, p_month) AS period,
               sum(g.change)::integer AS change
        FROM unnest(p_cases, p_changes) AS g(case_id, change) JOIN passage.waiting_list AS w USING (case_id)
        GROUP BY 1, 2, 3
    ) AS counted;
    UPDATE passage.waiting_list AS w SET
        reserved = w.reserved + g.change,
        reserved_period = CASE WHEN w.reserved + g.change > 0 THEN coalesce(w.reserved_period, p_month) END
    FROM unnest(p_cases, p_changes) AS g(case_id, change) WHERE w.case_id = g.case_id;
END
$$;

-- Reservations beyond the cap are void, the last in turn first: their cases keep their turn, and no place is taken that
-- there is no longer. Places that cases hold stay theirs.
CREATE FUNCTION passage.release_beyond_cap(p_pool passage.pool, p_month text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_beyond integer := -passage.count_free(p_pool, p_month);
    v_cases text[];
    v_changes integer[];
    v_back integer;
    v_last record;
BEGIN
    IF v_beyond <= 0 THEN
        RETURN;
    END IF;
    FOR v_last IN
        SELECT case_id, reserved, whole FROM passage.waiting_list
        WHERE pool = p_pool.pool AND reserved > 0 AND (p_pool.period = 'total' OR reserved_period = p_month)
        ORDER BY turn_at DESC, sequence DESC
    LOOP
        v_back := CASE WHEN v_last.whole THEN v_last.reserved ELSE least(v_last.reserved, v_beyond) END;
        v_cases := v_cases || v_last.case_id;
        v_changes := v_changes || -v_back;
        v_beyond := v_beyond - v_back;
        EXIT WHEN v_beyond <= 0;
    END LOOP;
    PERFORM passage.change_reserved(v_cases, v_changes, p_month);
END
$$;

-- Void too: a reservation of a month that is over, under a monthly cap, and that of a case whose programme is passed
-- over now. Their cases keep their turn.
CREATE FUNCTION passage.release_void(p_pool passage.pool, p_month text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_cases text[];
    v_changes integer[];
    v_considered text[] := passage.considered(p_pool.pool);
BEGIN
    SELECT array_agg(w.case_id), array_agg(-w.reserved) INTO v_cases, v_changes
    FROM passage.waiting_list AS w JOIN passage.programme_head AS h USING (programme)
    WHERE w.pool = p_pool.pool AND w.reserved > 0
      AND ((p_pool.period = 'month' AND w.reserved_period < p_month)
           OR (h.status = 'suspended' AND w.programme <> ALL (v_considered)));
    PERFORM passage.change_reserved(v_cases, v_changes, p_month);
    PERFORM passage.release_beyond_cap(p_pool, p_month);
END
$$;

-- Reserves what is free for the heads of the waiting list, in their order; the cases that something was reserved for.
CREATE FUNCTION passage.allot(p_pool passage.pool, p_month text) RETURNS text[] LANGUAGE plpgsql AS $$
DECLARE
    v_free integer := passage.count_free(p_pool, p_month);
    v_cases text[];
    v_changes integer[];
    v_given integer;
    v_next record;
    v_considered text[];
BEGIN
    IF v_free <= 0 THEN
        RETURN '{}';
    END IF;
    v_considered := passage.considered(p_pool.pool);
    FOR v_next IN
        SELECT case_id, whole, quantity - reserved AS wanted FROM passage.waiting_list
        WHERE pool = p_pool.pool AND reserved < quantity AND NOT passed_over
          AND programme = ANY (v_considered)
        ORDER BY turn_at, sequence
    LOOP
        CONTINUE WHEN v_next.whole AND v_next.wanted > v_free;  -- it waits; smaller ones behind it may pass
        v_given := least(v_next.wanted, v_free);
        v_cases := v_cases || v_next.case_id;
        v_changes := v_changes || v_given;
        v_free := v_free - v_given;
        EXIT WHEN v_free = 0;
    END LOOP;
    PERFORM passage.change_reserved(v_cases, v_changes, p_month);
    RETURN coalesce(v_cases, '{}');
END
$$;

CREATE FUNCTION passage.good_reservation(w passage.waiting_list, p_pool passage.pool, p_month text) RETURNS integer
LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN p_pool.period = 'total' OR w.reserved_period = p_month THEN coalesce(w.reserved, 0) ELSE 0 END
$$;

-- How many places the case could take now: what is reserved for it, and what is free where nobody ahead of it could
-- take of that. Reads only.
CREATE FUNCTION passage.places_for(p_pool passage.pool, p_case text, p_month text) RETURNS integer
LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_waiting passage.waiting_list;
    v_reserved integer;
    v_free integer := passage.count_free(p_pool, p_month);
    v_considered text[] := passage.considered(p_pool.pool);
BEGIN
    SELECT * INTO v_waiting FROM passage.waiting_list WHERE case_id = p_case;
    v_reserved := passage.good_reservation(v_waiting, p_pool, p_month);
    IF v_free <= 0 OR v_waiting.passed_over OR EXISTS (
        SELECT FROM passage.waiting_list AS w
        WHERE w.pool = p_pool.pool AND w.case_id <> p_case AND NOT w.passed_over
          AND passage.good_reservation(w, p_pool, p_month) < w.quantity AND (NOT w.whole OR w.quantity <= v_free)
          AND (v_waiting.case_id IS NULL OR (w.turn_at, w.sequence) < (v_waiting.turn_at, v_waiting.sequence))
          AND w.programme = ANY (v_considered)
    ) THEN
        RETURN v_reserved;
    END IF;
    RETURN v_reserved + v_free;
END
$$;
