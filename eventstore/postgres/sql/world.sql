-- What a decision reads beyond its own case, of one moment (a stable function sees its caller's snapshot).

-- The order of filing. A case that is not filed yet comes after every case that is, and its own number is its message's.
CREATE FUNCTION passage.filed_number(p_case text) RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT coalesce(
        (SELECT filed_number FROM passage.case_head WHERE case_id = p_case),
        (SELECT min(number) FROM passage.inbox WHERE stream = p_case AND kind = 'application.submitted'))
$$;

-- Open cases of the same person filed before this one; to a filing not yet decided, all that are open: the log decided
-- them first, whatever their number. So to a closed case, which asks whether it may open again.
CREATE FUNCTION passage.same_person(p_case text, p_filed bigint, p_keys bytea[]) RETURNS text[]
LANGUAGE sql STABLE AS $$
    SELECT coalesce(array_agg(other.case_id ORDER BY other.filed_number), '{}') FROM (
        SELECT DISTINCT h.case_id, h.filed_number
        FROM passage.case_person AS p JOIN passage.case_head AS h USING (case_id)
        WHERE p.key = ANY (p_keys) AND NOT h.closed AND h.case_id <> p_case
          AND (h.filed_number < p_filed OR NOT EXISTS (
              SELECT FROM passage.case_head WHERE case_id = p_case AND NOT closed))
    ) AS other
$$;

CREATE FUNCTION passage.shares(
    p_case text, p_filed bigint, p_person bytea, p_tax_id bytea, p_phone bytea, p_address bytea
) RETURNS text[] LANGUAGE sql STABLE AS $$
    SELECT array_remove(ARRAY[
        CASE WHEN EXISTS (
            SELECT FROM passage.supporter_key AS s JOIN passage.case_head AS h USING (case_id)
            WHERE s.tax_id = p_tax_id AND s.person <> p_person AND h.filed_number < p_filed) THEN 'tax_id' END,
        CASE WHEN EXISTS (
            SELECT FROM passage.supporter_key AS s JOIN passage.case_head AS h USING (case_id)
            WHERE s.phone = p_phone AND s.person <> p_person AND h.filed_number < p_filed) THEN 'phone' END,
        CASE WHEN EXISTS (
            SELECT FROM passage.supporter_key AS s JOIN passage.case_head AS h USING (case_id)
            WHERE s.address = p_address AND s.person <> p_person AND h.filed_number < p_filed) THEN 'address' END
    ], NULL)
$$;

-- What a case finds that wants `p_quantity` places: 'reserved' where it holds them or they are reserved for it, 'free',
-- or 'none'. `p_allotment` null: the one that it waits for or holds, else the only one that its programme has.
CREATE FUNCTION passage.read_place(
    p_programme text, p_case text, p_allotment text, p_quantity integer, p_month text,
    OUT place text, OUT places_left integer
) LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_head passage.case_head;
    v_waiting passage.waiting_list;
    v_pool passage.pool;
    v_allotment text;
BEGIN
    place := 'none';
    places_left := 0;
    SELECT * INTO v_head FROM passage.case_head WHERE case_id = p_case;
    SELECT * INTO v_waiting FROM passage.waiting_list WHERE case_id = p_case;
    IF v_head.place_quantity > 0 AND v_waiting.case_id IS NULL THEN
        place := 'reserved';
        RETURN;
    END IF;
    v_allotment := coalesce(p_allotment, v_waiting.allotment, (
        SELECT min(allotment) FROM passage.programme_pool WHERE programme = p_programme HAVING count(*) = 1));
    SELECT p.* INTO v_pool FROM passage.programme_pool AS m JOIN passage.pool AS p USING (pool)
    WHERE m.programme = p_programme AND m.allotment = v_allotment;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    places_left := passage.places_for(v_pool, p_case, p_month);
    IF passage.good_reservation(v_waiting, v_pool, p_month) >= p_quantity THEN
        place := 'reserved';
    ELSIF places_left >= p_quantity THEN
        place := 'free';
    END IF;
END
$$;

CREATE FUNCTION passage.read_world(
    p_programme text, p_case text, p_allotment text, p_quantity integer, p_month text, p_keys bytea[],
    p_supporter bytea[], p_principal text,
    OUT programme_version integer, OUT place text, OUT places_left integer, OUT person_versions integer[],
    OUT same_person text[],
    OUT earlier_filing_pending boolean, OUT principal_open boolean, OUT earlier_supporter_cases integer,
    OUT shared_details text[]
) LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_filed bigint;
BEGIN
    programme_version := coalesce((SELECT version FROM passage.programme_head WHERE programme = p_programme), 0);
    SELECT f.place, f.places_left INTO place, places_left
    FROM passage.read_place(p_programme, p_case, p_allotment, p_quantity, p_month) AS f;
    principal_open := EXISTS (SELECT FROM passage.case_head WHERE case_id = p_principal AND NOT closed);
    earlier_supporter_cases := 0;
    same_person := '{}';
    shared_details := '{}';
    earlier_filing_pending := false;
    IF p_keys IS NULL AND p_supporter IS NULL THEN
        RETURN;
    END IF;
    v_filed := passage.filed_number(p_case);
    IF p_keys IS NOT NULL THEN
        person_versions := ARRAY(
            SELECT coalesce(k.version, 0) FROM unnest(p_keys) WITH ORDINALITY AS asked(key, place)
            LEFT JOIN passage.person_key AS k ON k.key = asked.key ORDER BY asked.place);
        same_person := passage.same_person(p_case, v_filed, p_keys);
        earlier_filing_pending := EXISTS (
            SELECT FROM passage.pending_filing WHERE key = ANY (p_keys) AND number < v_filed);
    END IF;
    IF p_supporter IS NOT NULL THEN
        earlier_supporter_cases := (
            SELECT count(DISTINCT s.case_id) FROM passage.supporter_key AS s JOIN passage.case_head AS h USING (case_id)
            WHERE s.person = p_supporter[1] AND h.filed_number < v_filed);
        shared_details := passage.shares(
            p_case, v_filed, p_supporter[1], p_supporter[2], p_supporter[3], p_supporter[4]);
    END IF;
END
$$;
