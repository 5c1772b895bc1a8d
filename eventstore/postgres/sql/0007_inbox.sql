-- Writing the inbox, and what follows a bell or a call outside an append.

SET LOCAL ROLE passage_owner;

CREATE TYPE passage.inbox_receipt AS (
    number bigint, stream text, case_id text, message_id text, received_at timestamptz, answer text, code text, digest bytea,
    first boolean
);

CREATE FUNCTION passage.receipt(p_source text, p_message_id text) RETURNS passage.inbox_receipt
LANGUAGE sql STABLE AS $$
    SELECT ROW(number, stream, case_id, message_id, received_at, answer, code, digest, false)::passage.inbox_receipt
    FROM passage.inbox WHERE source = p_source AND message_id = p_message_id
$$;

-- Null where the case or programme is unknown. The deadline lock (3) makes a message and a deadline of one case see
-- each other: the deadline finds the row, or the row finds that the deadline was applied and is not earlier than it.
CREATE FUNCTION passage.receive(
    p_stream text, p_case text, p_programme text, p_source text, p_message_id text, p_kind text, p_body bytea,
    p_key_id text, p_digest bytea, p_received_at timestamptz, p_sender text, p_persons bytea[], p_filing boolean
) RETURNS passage.inbox_receipt LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
    v_receipt passage.inbox_receipt := passage.receipt(p_source, p_message_id);
    v_programme text := p_programme;
    v_applied timestamptz;
    v_last timestamptz;
BEGIN
    IF v_receipt.number IS NOT NULL THEN
        RETURN v_receipt;
    END IF;
    PERFORM pg_advisory_xact_lock(3, hashtext(p_stream));
    IF p_case IS NOT NULL THEN
        SELECT programme, deadline_applied INTO v_programme, v_applied FROM passage.case_head WHERE case_id = p_case;
        IF NOT FOUND AND p_filing THEN
            v_programme := p_programme;
        ELSIF NOT FOUND THEN  -- filed, and the filing itself not decided yet
            SELECT programme INTO v_programme FROM passage.inbox WHERE stream = p_case ORDER BY number LIMIT 1;
        END IF;
    ELSE
        SELECT programme INTO v_programme FROM passage.programme_head WHERE programme = p_programme;
    END IF;
    IF v_programme IS NULL THEN
        RETURN NULL;
    END IF;
    PERFORM passage.lock_number(p_stream);
    -- Within a stream numbers and moments go together: what two gateways stamped within a moment is taken as it committed.
    SELECT received_at INTO v_last FROM passage.inbox
    WHERE stream = p_stream AND source <> 'passage' ORDER BY number DESC LIMIT 1;
    INSERT INTO passage.inbox (stream, number, case_id, programme, source, message_id, kind, body, key_id, digest,
                               received_at, sender)
    VALUES (p_stream, nextval('passage.inbox_number'), p_case, v_programme, p_source, p_message_id, p_kind, p_body,
            p_key_id, p_digest, greatest(p_received_at, v_applied, v_last), p_sender)
    ON CONFLICT (source, message_id) DO NOTHING
    RETURNING number, stream, case_id, message_id, received_at, NULL, NULL, digest, true INTO v_receipt;
    IF NOT FOUND THEN  -- the same message at the same time, by another door
        RETURN passage.receipt(p_source, p_message_id);
    END IF;
    INSERT INTO passage.bell (number, stream) VALUES (v_receipt.number, p_stream);
    INSERT INTO passage.pending_filing (number, key) SELECT DISTINCT v_receipt.number, k FROM unnest(p_persons) AS k;
    RETURN v_receipt;
END
$$;

CREATE FUNCTION passage.claim_unrung(p_limit integer)
RETURNS TABLE (number bigint, stream text, case_id text, message_id text, kind text)
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog AS $$
    -- One statement, so one snapshot: a bell that it sees and marks has its message in it too. Claimed in one and read
    -- in another, a message that commits in between would be marked as rung and handed to nobody for 30 seconds.
    WITH claimed AS (
        UPDATE passage.bell AS b SET rung_at = clock_timestamp()
        WHERE b.number IN (
            SELECT due.number FROM passage.bell AS due
            WHERE due.rung_at IS NULL OR due.rung_at < clock_timestamp() - interval '30 seconds'
            ORDER BY due.number LIMIT p_limit FOR UPDATE SKIP LOCKED)
        RETURNING b.stream, b.number)
    SELECT i.number, i.stream, i.case_id, i.message_id, i.kind
    FROM claimed JOIN passage.inbox AS i ON i.stream = claimed.stream AND i.number = claimed.number
    ORDER BY i.number
$$;

CREATE FUNCTION passage.mark_rung(p_numbers bigint[]) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog AS $$
    UPDATE passage.bell SET rung_at = clock_timestamp() WHERE number = ANY (p_numbers)
$$;

CREATE FUNCTION passage.mark_call(p_request_id text, p_accepted boolean) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog AS $$
    UPDATE passage.outbound_call SET
        attempts = attempts + 1, accepted_at = CASE WHEN p_accepted THEN coalesce(accepted_at, now()) ELSE accepted_at END
    WHERE request_id = p_request_id
$$;
