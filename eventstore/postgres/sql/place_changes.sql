-- What an append does to the places of a pool, under its lock; the tables and what is read of them are in places.sql.

-- Whether the case got free places by the short way, where nobody waits for any: one statement, for other claims wait
-- for it. Otherwise nothing is changed, and `take_places` says what holds.
CREATE FUNCTION passage.take_unawaited(
    p_pool text, p_programme text, p_allotment text, p_quantity integer, p_month text
) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    v_rows integer;
BEGIN
    UPDATE passage.place_counter SET taken = taken + p_quantity
    WHERE programme = p_programme AND allotment = p_allotment AND period IN ('total', p_month)
      AND NOT EXISTS (SELECT FROM passage.waiting_list WHERE pool = p_pool)
      AND p_quantity <= (
          SELECT p.places - sum(c.taken)
          FROM passage.pool AS p
          JOIN passage.programme_pool AS m USING (pool) JOIN passage.place_counter AS c USING (programme, allotment)
          WHERE p.pool = p_pool AND c.period = CASE p.period WHEN 'total' THEN 'total' ELSE p_month END
          GROUP BY p.places);
    GET DIAGNOSTICS v_rows = ROW_COUNT;
    IF v_rows = 1 THEN  -- the first places of a month
        INSERT INTO passage.place_counter (programme, allotment, period, taken)
        VALUES (p_programme, p_allotment, p_month, p_quantity);
    END IF;
    RETURN v_rows > 0;
END
$$;

-- The head says already that the case holds them; `p_period` is that of its first places.
CREATE FUNCTION passage.take_places(
    p_pool passage.pool, p_programme text, p_allotment text, p_case text, p_quantity integer, p_month text,
    p_period text
) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_waiting passage.waiting_list;
    v_reserved integer;
BEGIN
    IF passage.places_for(p_pool, p_case, p_month) < p_quantity THEN
        RAISE EXCEPTION 'no-place' USING ERRCODE = 'PS001';
    ELSIF p_pool.period = 'month' AND p_period <> p_month THEN
        RAISE EXCEPTION 'under a monthly cap a case takes its places in one month' USING ERRCODE = 'PS004';
    END IF;
    SELECT * INTO v_waiting FROM passage.waiting_list WHERE case_id = p_case;
    v_reserved := least(p_quantity, passage.good_reservation(v_waiting, p_pool, p_month));
    IF v_reserved > 0 THEN
        PERFORM passage.change_reserved(ARRAY[p_case], ARRAY[-v_reserved], p_month);
    END IF;
    PERFORM passage.count_places(p_programme, p_allotment, p_period, p_quantity);
    IF p_quantity < v_waiting.quantity THEN
        UPDATE passage.waiting_list SET quantity = quantity - p_quantity WHERE case_id = p_case;
    ELSE
        DELETE FROM passage.waiting_list WHERE case_id = p_case;
    END IF;
END
$$;

CREATE FUNCTION passage.join_waiting_list(
    p_pool passage.pool, p_programme text, p_allotment text, p_case text, p_quantity integer, p_month text,
    p_turn_at timestamptz, p_whole boolean
) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF passage.places_for(p_pool, p_case, p_month) >= p_quantity THEN
        RAISE EXCEPTION 'place-free' USING ERRCODE = 'PS002';
    END IF;
    INSERT INTO passage.waiting_list (case_id, programme, allotment, pool, turn_at, quantity, whole)
    VALUES (p_case, p_programme, p_allotment, p_pool.pool, p_turn_at, p_quantity, p_whole) ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the case waits already' USING ERRCODE = 'PS004';
    END IF;
END
$$;

-- What was reserved for the case goes back.
CREATE FUNCTION passage.give_up_reservation(p_case text, p_month text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_reserved integer := (SELECT reserved FROM passage.waiting_list WHERE case_id = p_case AND reserved > 0);
BEGIN
    IF v_reserved > 0 THEN
        PERFORM passage.change_reserved(ARRAY[p_case], ARRAY[-v_reserved], p_month);
    END IF;
END
$$;

CREATE FUNCTION passage.free_places(p_case text, p_allotment text, p_quantity integer) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    v_head passage.case_head;
BEGIN
    SELECT * INTO v_head FROM passage.case_head WHERE case_id = p_case;
    IF v_head.place_quantity < p_quantity OR v_head.place_allotment IS DISTINCT FROM p_allotment THEN
        RAISE EXCEPTION 'the case does not hold so many places' USING ERRCODE = 'PS004';
    END IF;
    PERFORM passage.count_places(v_head.programme, p_allotment, v_head.place_period, -p_quantity);
    UPDATE passage.case_head SET
        place_quantity = place_quantity - p_quantity,
        place_allotment = CASE WHEN place_quantity > p_quantity THEN place_allotment END,
        place_period = CASE WHEN place_quantity > p_quantity THEN place_period END
    WHERE case_id = p_case;
END
$$;

CREATE TYPE passage.place_change AS (
    change text, allotment text, quantity integer, month text, turn_at timestamptz, whole boolean
);

-- The last step of an append of a case that touches places; returns the cases that a place was reserved for. From lock
-- 4 to their commit all changes of a pool wait for one another, so that what needs no lock comes before it.
CREATE FUNCTION passage.change_place(p_programme text, p_case text, p passage.place_change) RETURNS text[]
LANGUAGE plpgsql AS $$
DECLARE
    v_pool passage.pool;
    v_drawn text;
    v_period text;
BEGIN
    IF p.change = 'take' THEN  -- the head is this append's own; without a place the append is undone
        UPDATE passage.case_head AS h SET
            place_allotment = p.allotment, place_period = coalesce(h.place_period, p.month),
            place_quantity = h.place_quantity + p.quantity
        WHERE h.case_id = p_case AND (h.place_quantity = 0 OR (h.place_allotment = p.allotment AND EXISTS (
            SELECT FROM passage.waiting_list AS w WHERE w.case_id = p_case)))
        RETURNING h.place_period INTO v_period;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'the case holds its places already' USING ERRCODE = 'PS004';
        END IF;
    END IF;
    SELECT pool INTO v_drawn FROM passage.programme_pool WHERE programme = p_programme AND allotment = p.allotment;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the programme has no such allotment' USING ERRCODE = 'PS004';
    END IF;
    PERFORM pg_advisory_xact_lock(4, hashtext(v_drawn));
    IF p.change = 'take' AND passage.take_unawaited(v_drawn, p_programme, p.allotment, p.quantity, p.month) THEN
        RETURN '{}';
    END IF;
    SELECT * INTO v_pool FROM passage.pool WHERE pool = v_drawn;
    PERFORM passage.release_void(v_pool, p.month);
    CASE p.change
    WHEN 'take' THEN
        PERFORM passage.take_places(v_pool, p_programme, p.allotment, p_case, p.quantity, p.month, v_period);
        RETURN '{}';
    WHEN 'join' THEN
        PERFORM passage.join_waiting_list(
            v_pool, p_programme, p.allotment, p_case, p.quantity, p.month, p.turn_at, p.whole);
    WHEN 'leave' THEN
        PERFORM passage.give_up_reservation(p_case, p.month);
        DELETE FROM passage.waiting_list WHERE case_id = p_case;
    WHEN 'pass-over' THEN
        PERFORM passage.give_up_reservation(p_case, p.month);
        UPDATE passage.waiting_list SET passed_over = true WHERE case_id = p_case;
    WHEN 'resume' THEN
        UPDATE passage.waiting_list SET passed_over = false WHERE case_id = p_case;
    WHEN 'free' THEN
        PERFORM passage.free_places(p_case, p.allotment, p.quantity);
    WHEN 'allot' THEN
        NULL;
    END CASE;
    RETURN passage.allot(v_pool, p.month);
END
$$;

-- The same for a programme: what is free in each of these pools, which are locked, goes to who waits.
CREATE FUNCTION passage.allot_pools(p_pools text[], p_month text) RETURNS text[]
LANGUAGE plpgsql AS $$
DECLARE
    v_pool passage.pool;
    v_cases text[] := '{}';
BEGIN
    FOR v_pool IN SELECT * FROM passage.pool WHERE pool = ANY (p_pools) ORDER BY pool LOOP
        PERFORM passage.release_void(v_pool, p_month);
        v_cases := v_cases || passage.allot(v_pool, p_month);
    END LOOP;
    RETURN v_cases;
END
$$;
