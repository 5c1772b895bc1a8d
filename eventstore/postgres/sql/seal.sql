-- The sealed log: a dense index of leaves, the Merkle tree over them as tiles, signed checkpoints, and map seals.
-- passage_sealer writes these tables, through the functions below and in no other way, and nothing else.

-- How many leaves there are. Sealers agree through its one row: what one expects, no other has moved.
CREATE TABLE passage.log_size (
    the_one boolean PRIMARY KEY DEFAULT true CHECK (the_one),
    size bigint NOT NULL CHECK (size >= 0)
);
INSERT INTO passage.log_size (size) VALUES (0);

-- Leaf n is the event `stream`:`version`, or, where these are null, a map seal.
CREATE TABLE passage.leaf (
    leaf_index bigint PRIMARY KEY CHECK (leaf_index >= 0),
    stream text COLLATE "C",
    version integer,
    hash bytea NOT NULL CHECK (octet_length(hash) = 32),
    CHECK ((stream IS NULL) = (version IS NULL))
);
CREATE UNIQUE INDEX leaf_event ON passage.leaf (stream, version) INCLUDE (leaf_index, hash);

-- As in C2SP tlog-tiles: up to 256 hashes of 32 bytes; only the last tile of a level is shorter, and it only grows.
CREATE TABLE passage.tile (
    level smallint NOT NULL CHECK (level >= 0),
    number bigint NOT NULL CHECK (number >= 0),
    hashes bytea NOT NULL CHECK (octet_length(hashes) BETWEEN 32 AND 8192 AND octet_length(hashes) % 32 = 0),
    PRIMARY KEY (level, number)
);
ALTER TABLE passage.tile ALTER COLUMN hashes SET STORAGE EXTERNAL;  -- hashes do not compress

-- A C2SP checkpoint, as its signed note, which also says when it was signed.
CREATE TABLE passage.checkpoint (
    size bigint PRIMARY KEY CHECK (size > 0),
    note text NOT NULL
);

-- The header of each map seal: the root of the tree over every stream's head as of the first `log_size` leaves.
CREATE TABLE passage.map_seal (
    leaf_index bigint PRIMARY KEY REFERENCES passage.leaf,
    header bytea NOT NULL
);

DO $protect$
DECLARE
    v_table text;
BEGIN
    FOREACH v_table IN ARRAY ARRAY['leaf', 'checkpoint', 'map_seal'] LOOP
        EXECUTE format('CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON passage.%I '
                       'FOR EACH STATEMENT EXECUTE FUNCTION passage.refuse_change()', v_table);
        EXECUTE format('ALTER TABLE passage.%I ENABLE ALWAYS TRIGGER append_only', v_table);
    END LOOP;
END
$protect$;

CREATE TRIGGER append_only BEFORE DELETE OR TRUNCATE ON passage.tile
    FOR EACH STATEMENT EXECUTE FUNCTION passage.refuse_change();
ALTER TABLE passage.tile ENABLE ALWAYS TRIGGER append_only;

-- Takes the oldest visible appends into the index, in one statement. Nothing is taken where the log has not the size
-- that the caller expects: another sealer was first. An event that is gone fails on its null hash, and is not skipped.
-- Each event is looked up by index: Postgres takes every append for a thousand events (it cannot know what
-- `generate_series` gives), and would read the whole log each time much is waiting.
CREATE FUNCTION passage.take_leaves(p_expected bigint, p_appends integer)
RETURNS TABLE (leaf_index bigint, hash bytea, recorded_at timestamptz)
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
    WITH fence AS MATERIALIZED (
        SELECT size FROM passage.log_size WHERE size = p_expected FOR UPDATE
    ), queue AS MATERIALIZED (
        SELECT id FROM passage.unsealed WHERE EXISTS (SELECT FROM fence) ORDER BY id LIMIT p_appends
    ), taken AS (
        DELETE FROM passage.unsealed AS u USING queue AS q WHERE u.id = q.id
        RETURNING u.id, u.stream, u.first_version, u.last_version
    ), numbered AS (
        SELECT t.stream, v.version, p_expected - 1 + row_number() OVER (ORDER BY t.id, v.version) AS leaf_index
        FROM taken AS t CROSS JOIN LATERAL generate_series(t.first_version, t.last_version) AS v(version)
    ), placed AS (
        INSERT INTO passage.leaf (leaf_index, stream, version, hash)
        SELECT n.leaf_index, n.stream, n.version, e.hash
        FROM numbered AS n LEFT JOIN passage.events AS e ON e.stream = n.stream AND e.version = n.version
        RETURNING leaf.leaf_index, leaf.hash, leaf.stream, leaf.version
    ), grown AS (
        UPDATE passage.log_size SET size = size + (SELECT count(*) FROM placed) WHERE EXISTS (SELECT FROM placed)
    )
    SELECT p.leaf_index, p.hash, e.recorded_at
    FROM placed AS p JOIN passage.events AS e ON e.stream = p.stream AND e.version = p.version
    ORDER BY p.leaf_index
$$;

-- False where the log has not the size that the caller expects.
CREATE FUNCTION passage.take_map_leaf(p_expected bigint, p_header bytea, p_hash bytea)
RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    UPDATE passage.log_size SET size = size + 1 WHERE size = p_expected;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    INSERT INTO passage.leaf (leaf_index, hash) VALUES (p_expected, p_hash);
    INSERT INTO passage.map_seal (leaf_index, header) VALUES (p_expected, p_header);
    RETURN true;
END
$$;

CREATE FUNCTION passage.put_tiles(p_levels smallint[], p_numbers bigint[], p_hashes bytea[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_written integer;
BEGIN
    INSERT INTO passage.tile AS stored (level, number, hashes)
    SELECT t.level, t.number, t.hashes FROM unnest(p_levels, p_numbers, p_hashes) AS t(level, number, hashes)
    ON CONFLICT (level, number) DO UPDATE SET hashes = excluded.hashes
    WHERE octet_length(excluded.hashes) > octet_length(stored.hashes)
      AND substr(excluded.hashes, 1, octet_length(stored.hashes)) = stored.hashes;
    GET DIAGNOSTICS v_written = ROW_COUNT;
    IF v_written <> cardinality(p_levels) THEN
        RAISE EXCEPTION 'a tile may only grow' USING ERRCODE = 'PS010';
    END IF;
END
$$;

CREATE FUNCTION passage.put_checkpoint(p_size bigint, p_note text) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    INSERT INTO passage.checkpoint (size, note) VALUES (p_size, p_note) ON CONFLICT DO NOTHING
$$;
