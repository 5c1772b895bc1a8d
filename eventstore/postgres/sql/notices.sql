-- Notifications of the store's own: a place that was reserved, a programme that changed. A few are written with the
-- append that causes them. Many are written after it has committed, a batch in a transaction: so a suspension takes the
-- same time however many cases are open, and no other append waits for it. Nothing depends on when they are written:
-- an append checks the programme's version again, and a boarding check reads its status.

-- The cases that are still to be notified. Either they are listed, at most 200 in a row, or `concerns` says which
-- open cases are to be listed; a closed case that is held is to be opened again when the programme resumes.
CREATE TABLE passage.notice (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    programme text NOT NULL,
    kind text NOT NULL,
    concerns text CHECK (concerns IN ('all', 'waiting')),
    cases text[],
    noticed_at timestamptz NOT NULL,
    CHECK ((concerns IS NULL) <> (cases IS NULL))
);

-- Writes one inbox row from `passage` itself for each case, numbered in the order given. It locks each case's numbers, so
-- it is given at most 200 cases: the server's lock table has room for 6,400 locks.
CREATE FUNCTION passage.notify_cases(
    p_kind text, p_cases text[], p_now timestamptz,
    OUT notified_cases text[], OUT notified_numbers bigint[], OUT notified_messages text[]
) LANGUAGE plpgsql AS $$
DECLARE
    v_case text;
BEGIN
    FOR v_case IN SELECT c FROM unnest(p_cases) AS given(c) ORDER BY hashtext(c) LOOP
        PERFORM passage.lock_number(v_case);
    END LOOP;
    WITH numbered AS MATERIALIZED (
        SELECT ordered.case_id, nextval('passage.inbox_number') AS number
        FROM (SELECT c AS case_id FROM unnest(p_cases) WITH ORDINALITY AS given(c, place) ORDER BY place) AS ordered
    ), written AS (
        INSERT INTO passage.inbox (stream, number, case_id, programme, source, message_id, kind, body, digest,
                                   received_at, proof)
        SELECT n.case_id, n.number, n.case_id, h.programme, 'passage', p_kind || ':' || n.number, p_kind, b.body,
               sha256(b.body), p_now, 'clock'
        FROM numbered AS n JOIN passage.case_head AS h ON h.case_id = n.case_id AND (NOT h.closed OR h.held)
        CROSS JOIN LATERAL (SELECT convert_to(format('{"message":"%s"}', p_kind), 'UTF8')) AS b(body)
        RETURNING inbox.number, inbox.case_id, inbox.message_id
    ), notified AS (
        INSERT INTO passage.notification (number, stream) SELECT w.number, w.case_id FROM written AS w
    )
    SELECT array_agg(w.case_id ORDER BY w.number), array_agg(w.number ORDER BY w.number),
           array_agg(w.message_id ORDER BY w.number)
    INTO notified_cases, notified_numbers, notified_messages
    FROM written AS w;
END
$$;

-- Notifies the first 200 cases now, and leaves the others to `write_notices`.
CREATE FUNCTION passage.notify_offered(
    p_programme text, p_cases text[], p_now timestamptz,
    OUT notified_cases text[], OUT notified_numbers bigint[], OUT notified_messages text[]
) LANGUAGE plpgsql AS $$
BEGIN
    IF cardinality(p_cases) = 0 THEN
        RETURN;
    END IF;
    INSERT INTO passage.notice (programme, kind, cases, noticed_at)
    SELECT p_programme, 'place.offered', p_cases[first : first + 199], p_now
    FROM generate_series(201, cardinality(p_cases), 200) AS first ORDER BY first;
    SELECT * INTO notified_cases, notified_numbers, notified_messages
    FROM passage.notify_cases('place.offered', p_cases[1:200], p_now);
END
$$;

-- Writes the oldest batch that nobody else is writing. `what` is 'written', 'unlisted' where `list_notices` must run
-- first, or 'nothing'.
CREATE FUNCTION passage.write_notices(
    OUT what text, OUT notified_cases text[], OUT notified_numbers bigint[], OUT notified_messages text[]
) LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_notice passage.notice;
BEGIN
    SELECT * INTO v_notice FROM passage.notice ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED;
    IF NOT FOUND THEN
        what := 'nothing';
    ELSIF v_notice.cases IS NULL THEN
        what := 'unlisted';
    ELSE
        what := 'written';
        SELECT * INTO notified_cases, notified_numbers, notified_messages
        FROM passage.notify_cases(v_notice.kind, v_notice.cases, v_notice.noticed_at);
        DELETE FROM passage.notice WHERE id = v_notice.id;
    END IF;
END
$$;

-- Lists the cases that the oldest unlisted notice concerns. Whoever has stood longest where it stands is notified first:
-- after a suspension, places go by the moment of readiness. One scan and one sort of the open cases, without a lock
-- that an append takes.
CREATE FUNCTION passage.list_notices() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_notice passage.notice;
BEGIN
    SELECT * INTO v_notice FROM passage.notice WHERE cases IS NULL ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    INSERT INTO passage.notice (programme, kind, cases, noticed_at)
    SELECT v_notice.programme, v_notice.kind, batch.cases, v_notice.noticed_at
    FROM (
        SELECT array_agg(o.case_id ORDER BY o.place) AS cases, min(o.place) AS first
        FROM (
            SELECT case_id, row_number() OVER (ORDER BY since, filed_number) - 1 AS place FROM passage.case_head
            WHERE (NOT closed OR held) AND programme = v_notice.programme
              AND (v_notice.concerns = 'all' OR held OR stage = 'travel_authorization'
                   OR waiting_on IN ('programme', 'applicant'))
        ) AS o GROUP BY o.place / 200
    ) AS batch ORDER BY batch.first;
    DELETE FROM passage.notice WHERE id = v_notice.id;
END
$$;
