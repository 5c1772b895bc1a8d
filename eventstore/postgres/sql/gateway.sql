-- What the gateway keeps beside the inbox: refusals, how fast each sender may go, and how often a message came.

-- What was refused, by whom as far as it is known, and why; never anything of a body. Alike refusals of one minute are
-- one row, so that a flood of them stays small.
CREATE TABLE passage.refusal (
    minute timestamptz NOT NULL,
    partner text NOT NULL,
    route text NOT NULL,
    code text NOT NULL,
    sender text NOT NULL,
    message_id text NOT NULL,
    times bigint NOT NULL,
    first_at timestamptz NOT NULL,
    last_at timestamptz NOT NULL,
    PRIMARY KEY (minute, partner, route, code, sender, message_id)
);
COMMENT ON COLUMN passage.refusal.sender IS 'The identity that was proven, or claimed unsigned; empty where neither.';
COMMENT ON COLUMN passage.refusal.message_id IS 'Empty where it was malformed, or where there were too many to keep.';

CREATE FUNCTION passage.record_refusals(
    p_partners text[], p_routes text[], p_codes text[], p_senders text[], p_message_ids text[], p_times bigint[]
) RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    INSERT INTO passage.refusal AS r (minute, partner, route, code, sender, message_id, times, first_at, last_at)
    SELECT date_trunc('minute', clock_timestamp()), n.partner, n.route, n.code, n.sender, n.message_id, n.times,
           clock_timestamp(), clock_timestamp()
    FROM unnest(p_partners, p_routes, p_codes, p_senders, p_message_ids, p_times)
        AS n(partner, route, code, sender, message_id, times)
    ORDER BY n.partner, n.route, n.code, n.sender, n.message_id  -- one order for all: none waits in a circle
    ON CONFLICT (minute, partner, route, code, sender, message_id)
    DO UPDATE SET times = r.times + excluded.times, last_at = excluded.last_at
$$;

-- Deletes at most `p_limit` refusals that are older than `p_age`, or beyond the newest `p_kept`; how many it deleted.
CREATE FUNCTION passage.prune_refusals_beyond(p_age interval, p_kept bigint, p_limit integer) RETURNS integer
LANGUAGE sql AS $$
    WITH pruned AS (
        DELETE FROM passage.refusal AS r USING (
            SELECT o.minute, o.partner, o.route, o.code, o.sender, o.message_id FROM passage.refusal AS o
            WHERE o.minute < clock_timestamp() - p_age
               OR o.minute < (SELECT n.minute FROM passage.refusal AS n ORDER BY n.minute DESC OFFSET p_kept LIMIT 1)
            ORDER BY o.minute LIMIT p_limit
        ) AS old
        WHERE (r.minute, r.partner, r.route, r.code, r.sender, r.message_id)
            = (old.minute, old.partner, old.route, old.code, old.sender, old.message_id)
        RETURNING 1
    )
    SELECT count(*)::integer FROM pruned
$$;

-- With the numbers that hold, so that the writer can forget nothing younger. 90 days: a partner that disputes what
-- became of its messages does so within a quarter. A million rows are some 300 MB, and 55 hours of a gateway that is
-- flooded without a break; ordinary days write some hundreds. 10,000 at once: a tenth of a second, and no long lock.
CREATE FUNCTION passage.prune_refusals() RETURNS integer
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT passage.prune_refusals_beyond(interval '90 days', 1000000, 10000)
$$;

-- A token bucket for each sender, shared by every replica of the gateway.
CREATE TABLE passage.rate_bucket (
    bucket text PRIMARY KEY,
    tokens double precision NOT NULL,
    counted_at timestamptz NOT NULL
) WITH (fillfactor = 50);

-- Takes up to `p_wanted` tokens; where there is none, how long until there is one. Nothing is lost with what a crash
-- forgets of it, so nobody waits for the disk.
CREATE FUNCTION passage.take_tokens(
    p_bucket text, p_rate double precision, p_burst double precision, p_wanted integer,
    OUT granted integer, OUT wait_s double precision
) LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_bucket passage.rate_bucket;
    v_tokens double precision;
BEGIN
    PERFORM set_config('synchronous_commit', 'off', true);
    INSERT INTO passage.rate_bucket (bucket, tokens, counted_at) VALUES (p_bucket, p_burst, clock_timestamp())
    ON CONFLICT DO NOTHING;
    SELECT * INTO v_bucket FROM passage.rate_bucket WHERE bucket = p_bucket FOR UPDATE;
    v_tokens := least(p_burst, v_bucket.tokens + p_rate * greatest(
        0, extract(epoch FROM clock_timestamp() - v_bucket.counted_at)::double precision));
    granted := least(p_wanted, floor(v_tokens)::integer);
    wait_s := CASE WHEN granted > 0 THEN 0 ELSE (1 - v_tokens) / p_rate END;
    UPDATE passage.rate_bucket SET tokens = v_tokens - granted, counted_at = clock_timestamp() WHERE bucket = p_bucket;
END
$$;

-- Tokens whose holders signed out, as hashes, until they would have expired anyway.
CREATE TABLE passage.revoked_token (
    digest bytea PRIMARY KEY CHECK (octet_length(digest) = 32),
    expires_at timestamptz NOT NULL
);

CREATE FUNCTION passage.revoke_token(p_digest bytea, p_expires_at timestamptz) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    DELETE FROM passage.revoked_token WHERE expires_at < clock_timestamp() - interval '1 day';
    INSERT INTO passage.revoked_token (digest, expires_at) VALUES (p_digest, p_expires_at) ON CONFLICT DO NOTHING
$$;

CREATE FUNCTION passage.token_is_revoked(p_digest bytea) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT EXISTS (SELECT FROM passage.revoked_token WHERE digest = p_digest)
$$;

-- Who read which case's status or events, by day: no content, but a trace of a caller that reads what it has no need of.
CREATE TABLE passage.case_read (
    day date NOT NULL,
    caller text NOT NULL,
    case_id text NOT NULL,
    times bigint NOT NULL,
    first_at timestamptz NOT NULL,
    last_at timestamptz NOT NULL,
    PRIMARY KEY (day, caller, case_id)
) WITH (fillfactor = 80);

CREATE FUNCTION passage.note_read(p_caller text, p_case text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM set_config('synchronous_commit', 'off', true);
    INSERT INTO passage.case_read AS r (day, caller, case_id, times, first_at, last_at)
    VALUES (current_date, p_caller, p_case, 1, clock_timestamp(), clock_timestamp())
    ON CONFLICT (day, caller, case_id) DO UPDATE SET times = r.times + 1, last_at = excluded.last_at;
END
$$;

-- As refusals: 10,000 at once, and nothing younger than 90 days.
CREATE FUNCTION passage.prune_reads() RETURNS integer
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    WITH pruned AS (
        DELETE FROM passage.case_read AS r USING (
            SELECT o.day, o.caller, o.case_id FROM passage.case_read AS o
            WHERE o.day < current_date - 90 ORDER BY o.day LIMIT 10000
        ) AS old
        WHERE (r.day, r.caller, r.case_id) = (old.day, old.caller, old.case_id) RETURNING 1
    )
    SELECT count(*)::integer FROM pruned
$$;

-- How often a message came again after the first time.
CREATE TABLE passage.repeat (
    source text NOT NULL,
    message_id text NOT NULL,
    times bigint NOT NULL,
    last_at timestamptz NOT NULL,
    PRIMARY KEY (source, message_id)
) WITH (fillfactor = 70);

CREATE FUNCTION passage.note_repeat(p_source text, p_message_id text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM set_config('synchronous_commit', 'off', true);
    INSERT INTO passage.repeat AS r (source, message_id, times, last_at)
    VALUES (p_source, p_message_id, 1, clock_timestamp())
    ON CONFLICT (source, message_id) DO UPDATE SET times = r.times + 1, last_at = excluded.last_at;
END
$$;
