-- What the gateway keeps beside the inbox: refusals, how fast each sender may go, and how often a message came.

SET LOCAL ROLE passage_owner;

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
) RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog AS $$
    INSERT INTO passage.refusal AS r (minute, partner, route, code, sender, message_id, times, first_at, last_at)
    SELECT date_trunc('minute', clock_timestamp()), n.partner, n.route, n.code, n.sender, n.message_id, n.times,
           clock_timestamp(), clock_timestamp()
    FROM unnest(p_partners, p_routes, p_codes, p_senders, p_message_ids, p_times)
        AS n(partner, route, code, sender, message_id, times)
    ORDER BY n.partner, n.route, n.code, n.sender, n.message_id  -- one order for all: none waits in a circle
    ON CONFLICT (minute, partner, route, code, sender, message_id)
    DO UPDATE SET times = r.times + excluded.times, last_at = excluded.last_at
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
) LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
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

-- How often a message came again after the first time.
CREATE TABLE passage.repeat (
    source text NOT NULL,
    message_id text NOT NULL,
    times bigint NOT NULL,
    last_at timestamptz NOT NULL,
    PRIMARY KEY (source, message_id)
) WITH (fillfactor = 70);

CREATE FUNCTION passage.note_repeat(p_source text, p_message_id text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
BEGIN
    PERFORM set_config('synchronous_commit', 'off', true);
    INSERT INTO passage.repeat AS r (source, message_id, times, last_at)
    VALUES (p_source, p_message_id, 1, clock_timestamp())
    ON CONFLICT (source, message_id) DO UPDATE SET times = r.times + 1, last_at = excluded.last_at;
END
$$;

-- How often each undecided message's bell was rung; an operator may have one rung anew, at once.
ALTER TABLE passage.bell ADD COLUMN rings integer NOT NULL DEFAULT 0;

CREATE OR REPLACE FUNCTION passage.claim_unrung(p_limit integer)
RETURNS TABLE (number bigint, stream text, case_id text, message_id text, kind text)
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog AS $$
    -- One statement and one snapshot, as in 0007; it counts the rings too.
    WITH claimed AS (
        UPDATE passage.bell AS b SET rung_at = clock_timestamp(), rings = b.rings + 1
        WHERE b.number IN (
            SELECT due.number FROM passage.bell AS due
            WHERE due.rung_at IS NULL OR due.rung_at < clock_timestamp() - interval '30 seconds'
            ORDER BY due.number LIMIT p_limit FOR UPDATE SKIP LOCKED)
        RETURNING b.stream, b.number)
    SELECT i.number, i.stream, i.case_id, i.message_id, i.kind
    FROM claimed JOIN passage.inbox AS i ON i.stream = claimed.stream AND i.number = claimed.number
    ORDER BY i.number
$$;

CREATE FUNCTION passage.redrive(p_numbers bigint[]) RETURNS SETOF bigint
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog AS $$
    UPDATE passage.bell SET rung_at = NULL, rings = 0 WHERE number = ANY (p_numbers) RETURNING number
$$;

-- Whether this partner was ever asked about this case; null where there is no such case.
CREATE INDEX outbound_call_asked ON passage.outbound_call (case_id, partner);

CREATE FUNCTION passage.was_asked(p_case text, p_partner text) RETURNS boolean
LANGUAGE sql STABLE AS $$
    SELECT CASE
        WHEN EXISTS (SELECT FROM passage.outbound_call WHERE case_id = p_case AND partner = p_partner) THEN true
        WHEN EXISTS (SELECT FROM passage.inbox WHERE stream = p_case) THEN false
    END
$$;

REVOKE ALL ON FUNCTION
    passage.record_refusals, passage.take_tokens, passage.note_repeat, passage.redrive, passage.was_asked
FROM PUBLIC;
GRANT EXECUTE ON FUNCTION
    passage.record_refusals, passage.take_tokens, passage.note_repeat, passage.redrive, passage.was_asked
TO passage_writer;
GRANT SELECT ON passage.refusal, passage.repeat, passage.rate_bucket TO passage_writer, passage_reader;
GRANT SELECT ON passage.refusal TO passage_auditor;
