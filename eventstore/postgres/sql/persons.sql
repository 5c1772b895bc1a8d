-- Keyed hashes by which a person is found again, never what was hashed.

-- Keyed hashes, never what was hashed. The version moves when a case registers the key and when one closes.
CREATE TABLE passage.person_key (
    key bytea PRIMARY KEY,
    version integer NOT NULL
);

-- A key that was forgotten and comes again must not show a version at which somebody may have read it before: a
-- version is used once, whatever the key.
CREATE SEQUENCE passage.person_version;

CREATE TABLE passage.case_person (
    case_id text NOT NULL,
    key bytea NOT NULL,
    PRIMARY KEY (case_id, key)
);
CREATE INDEX case_person_key ON passage.case_person (key);

-- Filings received and not yet decided, by person: a later filing of the same person waits for them.
CREATE TABLE passage.pending_filing (
    number bigint NOT NULL,
    key bytea NOT NULL,
    PRIMARY KEY (number, key)
);
CREATE INDEX pending_filing_key ON passage.pending_filing (key);

CREATE TABLE passage.supporter_key (
    case_id text NOT NULL,
    person bytea NOT NULL,
    tax_id bytea,
    phone bytea,
    address bytea
);
CREATE INDEX supporter_key_person ON passage.supporter_key (person);
CREATE INDEX supporter_key_tax_id ON passage.supporter_key (tax_id);
CREATE INDEX supporter_key_phone ON passage.supporter_key (phone);
CREATE INDEX supporter_key_address ON passage.supporter_key (address);

CREATE FUNCTION passage.lock_persons(p_keys bytea[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_lock integer;
BEGIN
    FOR v_lock IN
        SELECT DISTINCT ('x' || encode(substr(k, 1, 4), 'hex'))::bit(32)::integer FROM unnest(p_keys) AS k ORDER BY 1
    LOOP
        PERFORM pg_advisory_xact_lock(2, v_lock);
    END LOOP;
END
$$;

CREATE FUNCTION passage.persons_moved(p_keys bytea[], p_versions integer[]) RETURNS boolean LANGUAGE sql AS $$
    SELECT EXISTS (
        SELECT FROM unnest(p_keys, p_versions) AS was(key, version)
        LEFT JOIN passage.person_key AS now ON now.key = was.key
        WHERE coalesce(now.version, 0) <> was.version)
$$;

CREATE FUNCTION passage.register(
    p_case text, p_persons bytea[], p_supporter bytea[], p_closing bytea[]
) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF p_persons IS NOT NULL OR p_closing IS NOT NULL THEN
        INSERT INTO passage.person_key AS known (key, version)
        SELECT k, nextval('passage.person_version')::integer
        FROM (SELECT DISTINCT u FROM unnest(coalesce(p_persons, '{}') || coalesce(p_closing, '{}')) AS u) AS given(k)
        ON CONFLICT (key) DO UPDATE SET version = excluded.version;
        INSERT INTO passage.case_person (case_id, key) SELECT DISTINCT p_case, k FROM unnest(p_persons) AS k
        ON CONFLICT DO NOTHING;
    END IF;
    IF p_supporter IS NOT NULL THEN
        INSERT INTO passage.supporter_key (case_id, person, tax_id, phone, address)
        VALUES (p_case, p_supporter[1], p_supporter[2], p_supporter[3], p_supporter[4]);
    END IF;
END
$$;
