-- One row a programme: the gate of its versions, and its summary.

CREATE TABLE passage.programme_head (
    programme text PRIMARY KEY,
    version integer NOT NULL,
    hash bytea NOT NULL,
    status text NOT NULL,
    places integer NOT NULL CHECK (places >= 0),
    cap_period text NOT NULL,
    rules_version text NOT NULL
);

CREATE FUNCTION passage.move_programme_head(
    p_programme text, p_expected integer, p_previous bytea, p_count integer, p_hash bytea,
    p_status text, p_places integer, p_cap_period text, p_rules_version text
) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    IF p_expected = 0 AND p_count > 0 THEN
        INSERT INTO passage.programme_head (programme, version, hash, status, places, cap_period, rules_version)
        VALUES (p_programme, p_count, p_hash, p_status, p_places, p_cap_period, p_rules_version)
        ON CONFLICT DO NOTHING;
    ELSIF p_count = 0 THEN
        RETURN coalesce((SELECT version FROM passage.programme_head WHERE programme = p_programme), 0) = p_expected;
    ELSE
        UPDATE passage.programme_head SET
            version = p_expected + p_count, hash = p_hash, status = p_status, places = p_places,
            cap_period = p_cap_period, rules_version = p_rules_version
        WHERE programme = p_programme AND version = p_expected AND hash = p_previous;
    END IF;
    RETURN FOUND;
END
$$;
