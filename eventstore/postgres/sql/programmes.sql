-- One row a programme: the gate of its versions, and its summary. And the pools of places that programmes draw on.

CREATE TABLE passage.programme_head (
    programme text PRIMARY KEY,
    version integer NOT NULL,
    hash bytea NOT NULL,
    status text NOT NULL,
    rules_version text NOT NULL
);

-- The cap. It is held against all that is taken of the pool, or of the pool in one month.
CREATE TABLE passage.pool (
    pool text PRIMARY KEY,
    places integer NOT NULL CHECK (places >= 0),
    period text NOT NULL CHECK (period IN ('total', 'month')),
    named boolean NOT NULL
);
COMMENT ON COLUMN passage.pool.named IS 'The governments named the number: no rule set''s number replaces it.';

-- Which pool an allotment of a programme draws on. Several programmes may draw on one pool.
CREATE TABLE passage.programme_pool (
    programme text NOT NULL,
    allotment text NOT NULL,
    pool text NOT NULL REFERENCES passage.pool,
    PRIMARY KEY (programme, allotment)
);
CREATE INDEX programme_pool_pool ON passage.programme_pool (pool);

-- The gate: moves the head from the expected version and hash, or does nothing.
CREATE FUNCTION passage.move_programme_head(
    p_programme text, p_expected integer, p_previous bytea, p_count integer, p_hash bytea, p_status text,
    p_rules_version text
) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    IF p_expected = 0 AND p_count > 0 THEN
        INSERT INTO passage.programme_head (programme, version, hash, status, rules_version)
        VALUES (p_programme, p_count, p_hash, p_status, p_rules_version)
        ON CONFLICT DO NOTHING;
    ELSIF p_count = 0 THEN
        RETURN coalesce((SELECT version FROM passage.programme_head WHERE programme = p_programme), 0) = p_expected;
    ELSE
        UPDATE passage.programme_head SET
            version = p_expected + p_count, hash = p_hash, status = p_status, rules_version = p_rules_version
        WHERE programme = p_programme AND version = p_expected AND hash = p_previous;
    END IF;
    RETURN FOUND;
END
$$;

-- Lock 4, of every pool given, in one order for all.
CREATE FUNCTION passage.lock_pools(p_pools text[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_lock integer;
BEGIN
    FOR v_lock IN SELECT DISTINCT hashtext(p) FROM unnest(p_pools) AS p ORDER BY 1 LOOP
        PERFORM pg_advisory_xact_lock(4, v_lock);
    END LOOP;
END
$$;

-- From now on the programme draws on these pools, with all that it holds; `p_sets` says whose cap is set too, save that
-- an allotment which moves to a pool that others draw on takes the cap as it is. The pools that it drew on before or
-- draws on now are locked. An allotment that is not given stays as it is.
CREATE FUNCTION passage.set_pools(
    p_programme text, p_allotments text[], p_pools text[], p_places integer[], p_periods text[], p_named boolean[],
    p_sets boolean[]
) RETURNS text[] LANGUAGE plpgsql AS $$
DECLARE
    v_pools text[];
BEGIN
    SELECT array_agg(DISTINCT drawn.pool) INTO v_pools FROM (
        SELECT pool FROM passage.programme_pool WHERE programme = p_programme UNION SELECT unnest(p_pools)
    ) AS drawn(pool);
    PERFORM passage.lock_pools(v_pools);
    INSERT INTO passage.pool AS p (pool, places, period, named)
    SELECT DISTINCT ON (g.pool) g.pool, g.places, g.period, g.named
    FROM unnest(p_pools, p_places, p_periods, p_named, p_sets) WITH ORDINALITY
         AS g(pool, places, period, named, sets, number)
    LEFT JOIN passage.programme_pool AS before
           ON before.programme = p_programme AND before.allotment = p_allotments[g.number]
    WHERE NOT EXISTS (SELECT FROM passage.pool AS known WHERE known.pool = g.pool)
       OR (g.sets AND (coalesce(before.pool, g.pool) = g.pool OR NOT EXISTS (
           SELECT FROM passage.programme_pool AS other WHERE other.pool = g.pool AND other.programme <> p_programme)))
    ON CONFLICT (pool) DO UPDATE SET
        places = CASE WHEN p.named AND NOT excluded.named THEN p.places ELSE excluded.places END,
        period = excluded.period, named = p.named OR excluded.named;
    INSERT INTO passage.programme_pool AS m (programme, allotment, pool)
    SELECT p_programme, g.allotment, g.pool FROM unnest(p_allotments, p_pools) AS g(allotment, pool)
    ON CONFLICT (programme, allotment) DO UPDATE SET pool = excluded.pool WHERE m.pool <> excluded.pool;
    UPDATE passage.waiting_list AS w SET pool = m.pool
    FROM passage.programme_pool AS m
    WHERE m.programme = p_programme AND w.programme = m.programme AND w.allotment = m.allotment AND w.pool <> m.pool;
    RETURN v_pools;
END
$$;
