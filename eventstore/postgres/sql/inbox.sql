-- Messages, numbered, and the notifications of those that are undecided.

CREATE SEQUENCE passage.inbox_number;

CREATE TABLE passage.inbox (
    stream text NOT NULL,
    number bigint NOT NULL,
    case_id text,
    programme text NOT NULL,
    source text NOT NULL,
    message_id text NOT NULL,
    kind text NOT NULL,
    body bytea NOT NULL,
    key_id text,
    digest bytea NOT NULL,
    received_at timestamptz NOT NULL,
    proof text NOT NULL,
    answer text,
    code text,
    decided_at timestamptz,
    PRIMARY KEY (stream, number),
    UNIQUE (source, message_id)
) WITH (fillfactor = 85);
CREATE INDEX inbox_by_number ON passage.inbox (number);  -- the latest deliveries; numbers grow, so it only grows at its end

-- The undecided rows of the inbox and when the workflow was last notified of each; a table of its own, so that deciding
-- a row changes no index of the inbox.
CREATE TABLE passage.notification (
    number bigint PRIMARY KEY,
    stream text NOT NULL,
    notified_at timestamptz,
    attempts integer NOT NULL DEFAULT 0
) WITH (fillfactor = 70);

-- By case for the sweep; and the look for what is due stays short however many were notified a moment ago and not taken yet.
CREATE INDEX notification_stream ON passage.notification (stream);
CREATE INDEX notification_due ON passage.notification (coalesce(notified_at, '-infinity'), number);

CREATE FUNCTION passage.lock_number(p_stream text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(5, hashtext(p_stream));
END
$$;

-- True where the row was undecided and has its answer now.
CREATE FUNCTION passage.decide(p_stream text, p_number bigint, p_answer text, p_code text) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
    UPDATE passage.inbox SET answer = p_answer, code = p_code, decided_at = now()
    WHERE stream = p_stream AND number = p_number AND answer IS NULL;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    DELETE FROM passage.notification WHERE number = p_number;
    RETURN true;
END
$$;

-- True where the row has exactly this answer already, by this command.
CREATE FUNCTION passage.was_decided_so(
    p_stream text, p_number bigint, p_answer text, p_code text, p_command_id text
) RETURNS boolean LANGUAGE sql AS $$
    SELECT EXISTS (
        SELECT FROM passage.inbox
        WHERE stream = p_stream AND number = p_number AND answer = p_answer AND code IS NOT DISTINCT FROM p_code
          AND source || ':' || message_id = p_command_id)
$$;

-- False where the append had been made before: an answer without events, which is found by its row. A row that has another
-- answer undoes the append. True too where there is no row to answer.
CREATE FUNCTION passage.answer_row(
    p_stream text, p_number bigint, p_answer text, p_code text, p_command_id text, p_events integer
) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    IF p_number IS NULL OR passage.decide(p_stream, p_number, p_answer, p_code) THEN
        RETURN true;
    ELSIF p_events = 0 AND passage.was_decided_so(p_stream, p_number, p_answer, p_code, p_command_id) THEN
        RETURN false;
    END IF;
    RAISE EXCEPTION 'message-already-decided' USING ERRCODE = 'PS003';
END
$$;

CREATE TYPE passage.inbox_receipt AS (
    number bigint, stream text, case_id text, message_id text, received_at timestamptz, answer text, code text,
    digest bytea, first boolean
);

CREATE FUNCTION passage.receipt(p_source text, p_message_id text) RETURNS passage.inbox_receipt
LANGUAGE sql STABLE AS $$
    SELECT ROW(number, stream, case_id, message_id, received_at, answer, code, digest, false)::passage.inbox_receipt
    FROM passage.inbox WHERE source = p_source AND message_id = p_message_id
$$;

-- Null where the case or programme is unknown; an erased case takes nothing more, also from a process that still
-- remembers its key. The deadline lock (3) makes a message and a deadline of one case see each other: the deadline finds
-- the row, or the row finds that the deadline was applied and is not earlier than it.
CREATE FUNCTION passage.receive(
    p_stream text, p_case text, p_programme text, p_source text, p_message_id text, p_kind text, p_body bytea,
    p_key_id text, p_digest bytea, p_received_at timestamptz, p_proof text, p_persons bytea[], p_filing boolean
) RETURNS passage.inbox_receipt LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_receipt passage.inbox_receipt := passage.receipt(p_source, p_message_id);
    v_programme text := p_programme;
    v_applied timestamptz;
    v_last timestamptz;
    v_erased boolean;
BEGIN
    IF v_receipt.number IS NOT NULL THEN
        RETURN v_receipt;
    END IF;
    PERFORM pg_advisory_xact_lock(3, hashtext(p_stream));
    IF p_case IS NOT NULL THEN
        SELECT programme, deadline_applied, erased INTO v_programme, v_applied, v_erased
        FROM passage.case_head WHERE case_id = p_case;
        IF NOT FOUND AND p_filing THEN
            v_programme := p_programme;
        ELSIF NOT FOUND THEN  -- filed, and the filing itself not decided yet
            SELECT programme INTO v_programme FROM passage.inbox WHERE stream = p_case ORDER BY number LIMIT 1;
        ELSIF v_erased THEN
            RAISE EXCEPTION 'personal-data-erased' USING ERRCODE = 'PS011';
        END IF;
    ELSE
        SELECT programme INTO v_programme FROM passage.programme_head WHERE programme = p_programme;
    END IF;
    IF v_programme IS NULL THEN
        RETURN NULL;
    END IF;
    PERFORM passage.lock_number(p_stream);
    -- Within a stream numbers and moments go together: what two gateways stamped within a moment is taken as it
    -- committed.
    SELECT received_at INTO v_last FROM passage.inbox
    WHERE stream = p_stream AND source <> 'passage' ORDER BY number DESC LIMIT 1;
    INSERT INTO passage.inbox (stream, number, case_id, programme, source, message_id, kind, body, key_id, digest,
                               received_at, proof)
    VALUES (p_stream, nextval('passage.inbox_number'), p_case, v_programme, p_source, p_message_id, p_kind, p_body,
            p_key_id, p_digest, greatest(p_received_at, v_applied, v_last), p_proof)
    ON CONFLICT (source, message_id) DO NOTHING
    RETURNING number, stream, case_id, message_id, received_at, NULL, NULL, digest, true INTO v_receipt;
    IF NOT FOUND THEN  -- the same message at the same time, received elsewhere
        RETURN passage.receipt(p_source, p_message_id);
    END IF;
    INSERT INTO passage.notification (number, stream) VALUES (v_receipt.number, p_stream);
    INSERT INTO passage.pending_filing (number, key) SELECT DISTINCT v_receipt.number, k FROM unnest(p_persons) AS k;
    RETURN v_receipt;
END
$$;

CREATE FUNCTION passage.claim_notifications(p_limit integer)
RETURNS TABLE (number bigint, stream text, case_id text, message_id text, kind text)
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    -- One statement, so one snapshot: a notification that it sees and marks has its message in it too. Claimed in one
    -- and read in another, a message that commits in between would be marked and handed to nobody for 30 seconds.
    WITH claimed AS (
        UPDATE passage.notification AS n SET notified_at = clock_timestamp(), attempts = n.attempts + 1
        WHERE n.number IN (
            SELECT due.number FROM passage.notification AS due
            WHERE coalesce(due.notified_at, '-infinity') < now() - interval '30 seconds'
            ORDER BY coalesce(due.notified_at, '-infinity'), due.number LIMIT p_limit FOR UPDATE SKIP LOCKED)
        RETURNING n.stream, n.number)
    SELECT i.number, i.stream, i.case_id, i.message_id, i.kind
    FROM claimed JOIN passage.inbox AS i ON i.stream = claimed.stream AND i.number = claimed.number
    ORDER BY i.number
$$;

CREATE FUNCTION passage.mark_notified(p_numbers bigint[]) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    UPDATE passage.notification SET notified_at = clock_timestamp() WHERE number = ANY (p_numbers)
$$;

CREATE FUNCTION passage.redrive(p_numbers bigint[]) RETURNS SETOF bigint
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    UPDATE passage.notification SET notified_at = NULL, attempts = 0 WHERE number = ANY (p_numbers) RETURNING number
$$;
