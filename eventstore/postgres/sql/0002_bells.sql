-- Locks and bells. Every transaction takes its locks in this one order, so none waits in a circle:
--   1 programme   2 persons, by key   3 a case's deadlines   (its head row)   4 the programme's places
--   5 numbering, all   6 numbering, one stream
-- Numbers of the inbox are given under 6, so that within a stream they become visible in their own order.

SET LOCAL ROLE passage_owner;

CREATE FUNCTION passage.lock_number(p_stream text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(5, 0);
    PERFORM pg_advisory_xact_lock(6, hashtext(p_stream));
END
$$;

-- Writes one inbox row from `passage` itself for each case, numbered in the order given.
CREATE FUNCTION passage.ring(
    p_cases text[], p_programme text, p_kind text, p_now timestamptz,
    OUT bell_cases text[], OUT bell_numbers bigint[], OUT bell_messages text[]
) LANGUAGE plpgsql AS $$
DECLARE
    v_case text;
    v_body bytea := convert_to(format('{"message":"%s"}', p_kind), 'UTF8');
BEGIN
    IF cardinality(p_cases) = 0 THEN
        RETURN;
    ELSIF cardinality(p_cases) > 32 THEN
        PERFORM pg_advisory_xact_lock(5, 0);  -- thousands of locks would exhaust the server's lock table
    ELSE
        FOR v_case IN SELECT c FROM unnest(p_cases) AS c ORDER BY hashtext(c) LOOP
            PERFORM passage.lock_number(v_case);
        END LOOP;
    END IF;
    WITH numbered AS MATERIALIZED (
        SELECT ordered.case_id, nextval('passage.inbox_number') AS number
        FROM (SELECT c AS case_id FROM unnest(p_cases) WITH ORDINALITY AS u(c, place) ORDER BY place) AS ordered
    ), written AS (
        INSERT INTO passage.inbox (stream, number, case_id, programme, source, message_id, kind, body, digest,
                                   received_at, sender)
        SELECT n.case_id, n.number, n.case_id, p_programme, 'passage', p_kind || ':' || n.number, p_kind, v_body,
               sha256(v_body), p_now, 'passage'
        FROM numbered AS n
        RETURNING inbox.number, inbox.case_id, inbox.message_id
    ), rung AS (
        INSERT INTO passage.bell (number, stream) SELECT w.number, w.case_id FROM written AS w
    )
    SELECT array_agg(w.case_id ORDER BY w.number), array_agg(w.number ORDER BY w.number),
           array_agg(w.message_id ORDER BY w.number)
    INTO bell_cases, bell_numbers, bell_messages
    FROM (SELECT * FROM written ORDER BY number LIMIT 1000) AS w;
END
$$;
