-- Calls to partners: what is owed, what was taken and not answered, and who does not answer at all.

CREATE TABLE passage.outbound_call (
    request_id text PRIMARY KEY,
    case_id text NOT NULL,
    partner text NOT NULL,
    opened_at timestamptz NOT NULL,
    attempts integer NOT NULL DEFAULT 0,
    accepted_at timestamptz,
    dropped_at timestamptz,
    asks integer NOT NULL DEFAULT 0,
    asked_at timestamptz,
    ask_again_at timestamptz,
    heard text
);
COMMENT ON COLUMN passage.outbound_call.heard IS
    'At the last asking: pending, answered, sent-again, refused or failed; null while it is under way.';
CREATE INDEX outbound_call_open ON passage.outbound_call (case_id) WHERE accepted_at IS NULL AND dropped_at IS NULL;

-- Whether this partner was ever asked about this case; null where there is no such case.
CREATE INDEX outbound_call_asked ON passage.outbound_call (case_id, partner);
CREATE INDEX outbound_call_unanswered ON passage.outbound_call (partner, accepted_at)
    WHERE accepted_at IS NOT NULL AND dropped_at IS NULL;

CREATE FUNCTION passage.change_calls(
    p_case text, p_now timestamptz, p_opened text[], p_partners text[], p_dropped text[]
) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO passage.outbound_call (request_id, case_id, partner, opened_at)
    SELECT opened.request_id, p_case, opened.partner, p_now
    FROM unnest(p_opened, p_partners) AS opened(request_id, partner);
    UPDATE passage.outbound_call SET dropped_at = p_now
    WHERE request_id = ANY (p_dropped) AND case_id = p_case AND dropped_at IS NULL;
END
$$;

CREATE FUNCTION passage.mark_call(p_request_id text, p_accepted boolean) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    UPDATE passage.outbound_call SET
        attempts = attempts + 1, accepted_at = CASE WHEN p_accepted THEN coalesce(accepted_at, now()) ELSE accepted_at END
    WHERE request_id = p_request_id
$$;

CREATE FUNCTION passage.was_asked(p_case text, p_partner text) RETURNS boolean
LANGUAGE sql STABLE AS $$
    SELECT CASE
        WHEN EXISTS (SELECT FROM passage.outbound_call WHERE case_id = p_case AND partner = p_partner) THEN true
        WHEN EXISTS (SELECT FROM passage.inbox WHERE stream = p_case) THEN false
    END
$$;

-- Claims overdue requests, the longest overdue first. The next asking is set here, so that no two processes ask for one
-- answer, and one that dies delays it and no more. A partner that gave its answer is not asked again.
CREATE FUNCTION passage.claim_unanswered(
    p_partner text, p_accepted_before timestamptz, p_again interval, p_asks_max integer, p_limit integer
) RETURNS TABLE (request_id text, case_id text, asks integer)
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    WITH due AS (
        SELECT o.request_id FROM passage.outbound_call AS o
        WHERE o.partner = p_partner AND o.accepted_at < p_accepted_before AND o.dropped_at IS NULL
          AND o.asks < p_asks_max AND o.heard IS DISTINCT FROM 'answered'
          AND (o.ask_again_at IS NULL OR o.ask_again_at <= clock_timestamp())
        ORDER BY o.accepted_at LIMIT p_limit FOR UPDATE SKIP LOCKED
    )
    UPDATE passage.outbound_call AS o SET
        asks = o.asks + 1, asked_at = clock_timestamp(), heard = NULL,
        ask_again_at = clock_timestamp() + p_again * 2 ^ least(o.asks, 20)
    FROM due WHERE o.request_id = due.request_id
    RETURNING o.request_id, o.case_id, o.asks
$$;

-- What came of an asking. A request that was sent again has its whole time again.
CREATE FUNCTION passage.note_heard(p_request_id text, p_heard text) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    UPDATE passage.outbound_call SET
        heard = p_heard, accepted_at = CASE WHEN p_heard = 'sent-again' THEN clock_timestamp() ELSE accepted_at END
    WHERE request_id = p_request_id
$$;

-- One row for each partner whose last calls failed; a call that it takes removes the row. The machine's own time.
CREATE TABLE passage.partner_circuit (
    partner text PRIMARY KEY,
    failures integer NOT NULL,
    failing_since timestamptz NOT NULL,
    pauses integer NOT NULL DEFAULT 0,
    paused_until timestamptz
) WITH (fillfactor = 50);
COMMENT ON COLUMN passage.partner_circuit.failures IS 'In a row, none taken between them.';
COMMENT ON COLUMN passage.partner_circuit.paused_until IS 'Null: calls still go out. Then one goes out, to see.';

-- Whether a call may go out. After the pause it is one call's turn to see; the others wait until that one can have
-- ended, and if nothing was heard of it by then, another has its turn.
CREATE FUNCTION passage.admit_call(
    p_partner text, p_turn interval,
    OUT admitted boolean, OUT probe boolean, OUT failing_since timestamptz, OUT paused_until timestamptz,
    OUT wait_s double precision
) LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_circuit passage.partner_circuit;
    v_now timestamptz;
BEGIN
    PERFORM set_config('synchronous_commit', 'off', true);
    SELECT * INTO v_circuit FROM passage.partner_circuit AS c WHERE c.partner = p_partner FOR UPDATE;
    v_now := clock_timestamp();
    admitted := v_circuit.paused_until IS NULL OR v_circuit.paused_until <= v_now;
    probe := admitted AND v_circuit.paused_until IS NOT NULL;
    failing_since := v_circuit.failing_since;
    paused_until := v_circuit.paused_until;
    wait_s := greatest(0, extract(epoch FROM v_circuit.paused_until - v_now));
    IF probe THEN
        UPDATE passage.partner_circuit AS c SET paused_until = v_now + p_turn WHERE c.partner = p_partner;
    END IF;
END
$$;

-- Count a failed call. A pause begins with the failure that is one too many, and again, longer, with each that was to
-- see whether it is over; calls that were under way when it began change nothing of it.
CREATE FUNCTION passage.note_failed_call(
    p_partner text, p_probe boolean, p_failures_max integer, p_pause_first interval, p_pause_max interval,
    OUT began boolean, OUT failing_since timestamptz, OUT paused_until timestamptz, OUT wait_s double precision
) LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_circuit passage.partner_circuit;
    v_now timestamptz := clock_timestamp();
BEGIN
    PERFORM set_config('synchronous_commit', 'off', true);
    INSERT INTO passage.partner_circuit AS c (partner, failures, failing_since) VALUES (p_partner, 1, v_now)
    ON CONFLICT (partner) DO UPDATE SET failures = least(c.failures + 1, 1000000)
    RETURNING * INTO v_circuit;
    began := v_circuit.paused_until IS NULL AND v_circuit.failures >= p_failures_max;
    IF began OR (p_probe AND v_circuit.paused_until IS NOT NULL) THEN
        UPDATE passage.partner_circuit AS c SET
            pauses = c.pauses + 1,
            paused_until = v_now + least(p_pause_max, p_pause_first * 2 ^ least(c.pauses, 20))
        WHERE c.partner = p_partner RETURNING * INTO v_circuit;
    END IF;
    failing_since := v_circuit.failing_since;
    paused_until := v_circuit.paused_until;
    wait_s := greatest(0, extract(epoch FROM v_circuit.paused_until - v_now));
END
$$;

-- A call was taken: whatever was counted against the partner is over. True where its calls had paused.
CREATE FUNCTION passage.note_taken_call(p_partner text) RETURNS boolean
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    WITH ended AS (DELETE FROM passage.partner_circuit WHERE partner = p_partner RETURNING paused_until)
    SELECT coalesce((SELECT paused_until IS NOT NULL FROM ended), false)
$$;
