-- One row a case: the gate of its versions, and its summary.

-- One row a case: the gate of its versions, and its summary. No index holds a column that ordinary appends change,
-- so that updates stay in the page (HOT).
CREATE TABLE passage.case_head (
    case_id text PRIMARY KEY,
    programme text NOT NULL,
    version integer NOT NULL,
    hash bytea NOT NULL,
    filed_number bigint NOT NULL,
    rules_version text NOT NULL,
    stage text NOT NULL,
    waiting_on text,
    since timestamptz NOT NULL,
    due_name text,
    due_at timestamptz,
    outcome text,
    reason text,
    facts jsonb NOT NULL,
    flags text[] NOT NULL DEFAULT '{}',
    filed_at timestamptz NOT NULL,
    closed boolean NOT NULL DEFAULT false,
    held boolean NOT NULL DEFAULT false,
    overdue_since timestamptz,
    erased boolean NOT NULL DEFAULT false,
    deadline_applied timestamptz,
    place_allotment text,
    place_period text,
    place_quantity integer NOT NULL DEFAULT 0
) WITH (fillfactor = 70);
COMMENT ON COLUMN passage.case_head.overdue_since IS 'Since when an escalated referral has waited for an answer.';
COMMENT ON COLUMN passage.case_head.filed_number IS 'Inbox number of the filing: the order of filing.';
COMMENT ON COLUMN passage.case_head.facts IS 'What else the family shows of a case, in its own words.';
COMMENT ON COLUMN passage.case_head.deadline_applied IS 'The latest deadline that was applied; no message is earlier.';
COMMENT ON COLUMN passage.case_head.place_period IS 'The month in which it took the places that it holds.';
CREATE INDEX case_head_filed ON passage.case_head (filed_number);
CREATE INDEX case_head_open ON passage.case_head (filed_number) WHERE NOT closed;
CREATE INDEX case_head_reopening ON passage.case_head (programme) WHERE closed AND held;

CREATE TYPE passage.case_summary AS (
    rules_version text, stage text, waiting_on text, since timestamptz, due_name text, due_at timestamptz,
    outcome text, reason text, facts jsonb, flags text[], filed_at timestamptz, closed boolean, held boolean,
    overdue_since timestamptz
);

-- The gate: moves the head from the expected version and hash, or does nothing.
CREATE FUNCTION passage.move_case_head(
    p_case text, p_programme text, p_expected integer, p_previous bytea, p_count integer, p_hash bytea,
    p_filed_number bigint, p_deadline timestamptz, s passage.case_summary
) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    IF p_expected = 0 THEN
        INSERT INTO passage.case_head AS h (
            case_id, programme, version, hash, filed_number, rules_version, stage, waiting_on, since, due_name,
            due_at, outcome, reason, facts, flags, filed_at, closed, held, overdue_since, deadline_applied)
        VALUES (p_case, p_programme, p_count, p_hash, coalesce(p_filed_number, nextval('passage.inbox_number')),
                s.rules_version, s.stage, s.waiting_on, s.since, s.due_name, s.due_at, s.outcome, s.reason,
                s.facts, s.flags, s.filed_at, s.closed, s.held, s.overdue_since, p_deadline)
        ON CONFLICT DO NOTHING;
    ELSIF s.stage IS NULL THEN  -- only an inbox row is decided; the head keeps its summary
        UPDATE passage.case_head SET deadline_applied = greatest(deadline_applied, p_deadline)
        WHERE case_id = p_case AND version = p_expected AND hash = p_previous;
    ELSE
        UPDATE passage.case_head SET
            version = p_expected + p_count, hash = coalesce(p_hash, hash), rules_version = s.rules_version, stage = s.stage,
            waiting_on = s.waiting_on, since = s.since, due_name = s.due_name, due_at = s.due_at,
            outcome = s.outcome, reason = s.reason, facts = s.facts, flags = s.flags,
            closed = s.closed, held = s.held, overdue_since = s.overdue_since,
            deadline_applied = greatest(deadline_applied, p_deadline)
        WHERE case_id = p_case AND version = p_expected AND hash = p_previous;
    END IF;
    RETURN FOUND;
END
$$;
