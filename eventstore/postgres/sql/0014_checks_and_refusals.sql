-- Boarding checks on their way into the access stream, and the end of refusals that are old.

SET LOCAL ROLE passage_owner;

-- An answer that a carrier was given: a row before it leaves, an event of the access stream in a moment, and then no
-- row any more. So no check waits for another, and none is lost.
CREATE TABLE passage.boarding_check (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    programme text NOT NULL,
    carrier text NOT NULL,
    case_id text NOT NULL,
    answer text NOT NULL CHECK (answer IN ('ok', 'expired', 'held', 'revoked', 'none')),
    checked_at timestamptz NOT NULL,
    noted_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON COLUMN passage.boarding_check.checked_at IS 'Domain time of the answer; noted_at is the machine''s own.';

CREATE FUNCTION passage.note_check(
    p_programme text, p_carrier text, p_case text, p_answer text, p_checked_at timestamptz
) RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog AS $$
    INSERT INTO passage.boarding_check (programme, carrier, case_id, answer, checked_at)
    VALUES (p_programme, p_carrier, p_case, p_answer, p_checked_at)
$$;

-- The only way out of the table: each row goes as the event that says the same. The caller holds `lock_access`.
CREATE FUNCTION passage.append_checks(
    p_programme text, p_command_id text, p_expected integer, p_previous bytea, p_recorded_at timestamptz, p_carrier text,
    p_types text[], p_schema_versions smallint[], p_happened timestamptz[], p_public bytea[], p_headers bytea[],
    p_hashes bytea[], p_numbers bigint[]
) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
    v_said integer;
BEGIN
    WITH gone AS (
        DELETE FROM passage.boarding_check
        WHERE number = ANY (p_numbers) AND programme = p_programme AND carrier = p_carrier
        RETURNING number, case_id, answer, checked_at
    )
    SELECT count(*) INTO v_said
    FROM gone JOIN unnest(p_numbers, p_types, p_happened, p_public) AS e(number, type, happened_at, public_body)
        ON e.number = gone.number
    WHERE e.type = 'BoardingChecked' AND e.happened_at = gone.checked_at
      AND convert_from(e.public_body, 'UTF8')::jsonb = jsonb_build_object('case', gone.case_id, 'answer', gone.answer);
    IF v_said <> cardinality(p_numbers) OR v_said <> cardinality(p_types) THEN
        RAISE EXCEPTION 'a boarding check leaves as its own event' USING ERRCODE = 'PS004';
    END IF;
    PERFORM passage.append_access(
        p_programme, p_command_id, p_expected, p_previous, p_recorded_at, p_carrier, p_types, p_schema_versions,
        p_happened, p_public, p_headers, p_hashes);
END
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
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog AS $$
    SELECT passage.prune_refusals_beyond(interval '90 days', 1000000, 10000)
$$;

REVOKE ALL ON FUNCTION
    passage.note_check, passage.append_checks, passage.prune_refusals_beyond, passage.prune_refusals
FROM PUBLIC;
GRANT EXECUTE ON FUNCTION passage.note_check, passage.append_checks, passage.prune_refusals TO passage_writer;
GRANT SELECT ON passage.boarding_check TO passage_writer, passage_auditor;
