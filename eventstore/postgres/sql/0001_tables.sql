-- The tables of the log, of its heads, and of what one append keeps in step with them.
-- passage_owner owns everything and nobody logs in as it; the application is passage_writer and writes only
-- through the functions of the later migrations.

DO $roles$
DECLARE
    role_name text;
BEGIN
    FOREACH role_name IN ARRAY ARRAY['passage_owner', 'passage_writer', 'passage_reader', 'passage_auditor'] LOOP
        BEGIN
            EXECUTE format('CREATE ROLE %I NOLOGIN', role_name);
        EXCEPTION WHEN duplicate_object OR unique_violation THEN
            NULL;  -- roles belong to the server, not the database: another database of it has made them
        END;
    END LOOP;
END
$roles$;

CREATE SCHEMA IF NOT EXISTS passage;
ALTER SCHEMA passage OWNER TO passage_owner;
ALTER TABLE passage.schema_migration OWNER TO passage_owner;
SET LOCAL ROLE passage_owner;

-- The stored format (design.md). `header` is what the hash covers and holds every column; bodies are exact bytes.
CREATE TABLE passage.events (
    stream text NOT NULL,
    version integer NOT NULL CHECK (version > 0),
    event_id text NOT NULL,
    type text NOT NULL,
    schema_version smallint NOT NULL CHECK (schema_version > 0),
    happened_at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL,
    actor text NOT NULL,
    command_id text NOT NULL,
    key_id text,
    rules_digest text,
    public_body bytea NOT NULL,
    encrypted_body bytea,
    header bytea NOT NULL,
    hash bytea NOT NULL CHECK (octet_length(hash) = 32),
    PRIMARY KEY (stream, version),
    CHECK ((key_id IS NULL) = (encrypted_body IS NULL))
);
ALTER TABLE passage.events ALTER COLUMN encrypted_body SET STORAGE EXTERNAL;  -- ciphertext does not compress
ALTER TABLE passage.events SET (toast_tuple_target = 8160);                   -- a filing is read with its row

CREATE FUNCTION passage.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'events are append-only: % is refused', TG_OP USING ERRCODE = 'PS009';
END
$$;

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON passage.events
    FOR EACH STATEMENT EXECUTE FUNCTION passage.refuse_change();
-- Also where session_replication_role would silence ordinary triggers.
ALTER TABLE passage.events ENABLE ALWAYS TRIGGER append_only;

-- What an append wrote and no seal covers yet. A row appears when its append commits, so none is ever skipped.
CREATE TABLE passage.unsealed (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    stream text NOT NULL,
    first_version integer NOT NULL,
    last_version integer NOT NULL
);

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
    work_permit text,
    authorized_last_day date,
    paroled_last_day date,
    flags text[] NOT NULL DEFAULT '{}',
    filed_at timestamptz NOT NULL,
    closed boolean NOT NULL DEFAULT false,
    held boolean NOT NULL DEFAULT false,
    deadline_applied timestamptz,
    place_month text
) WITH (fillfactor = 70);
COMMENT ON COLUMN passage.case_head.filed_number IS 'Inbox number of the filing: the order of filing.';
COMMENT ON COLUMN passage.case_head.deadline_applied IS 'The latest deadline that was applied; no message is earlier.';
COMMENT ON COLUMN passage.case_head.place_month IS 'The month in which its place was taken, while it holds one.';
CREATE INDEX case_head_filed ON passage.case_head (filed_number);
CREATE INDEX case_head_open ON passage.case_head (filed_number) WHERE NOT closed;

CREATE TABLE passage.programme_head (
    programme text PRIMARY KEY,
    version integer NOT NULL,
    hash bytea NOT NULL,
    status text NOT NULL CHECK (status IN ('open', 'suspended', 'terminated')),
    places integer NOT NULL CHECK (places >= 0),
    cap_period text NOT NULL CHECK (cap_period IN ('total', 'month')),
    rules_version text NOT NULL
);

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
    sender text NOT NULL,
    answer text CHECK (answer IN ('accepted', 'rejected')),
    code text,
    decided_at timestamptz,
    PRIMARY KEY (stream, number),
    UNIQUE (source, message_id)
) WITH (fillfactor = 85);

-- The undecided rows of the inbox and when each was last rung; a table of its own, so that deciding a row changes
-- no index of the inbox.
CREATE TABLE passage.bell (
    number bigint PRIMARY KEY,
    stream text NOT NULL,
    rung_at timestamptz
) WITH (fillfactor = 70);

-- Filings received and not yet decided, by person: a later filing of the same person waits for them.
CREATE TABLE passage.pending_filing (
    number bigint NOT NULL,
    key bytea NOT NULL,
    PRIMARY KEY (number, key)
);
CREATE INDEX pending_filing_key ON passage.pending_filing (key);

CREATE TABLE passage.outbound_call (
    request_id text PRIMARY KEY,
    case_id text NOT NULL,
    partner text NOT NULL,
    opened_at timestamptz NOT NULL,
    attempts integer NOT NULL DEFAULT 0,
    accepted_at timestamptz,
    dropped_at timestamptz
);
CREATE INDEX outbound_call_open ON passage.outbound_call (case_id) WHERE accepted_at IS NULL AND dropped_at IS NULL;

-- Keyed hashes, never what was hashed. The version moves when a case registers the key and when one closes.
CREATE TABLE passage.person_key (
    key bytea PRIMARY KEY,
    version integer NOT NULL
);
CREATE TABLE passage.case_person (
    case_id text NOT NULL,
    key bytea NOT NULL,
    PRIMARY KEY (case_id, key)
);
CREATE INDEX case_person_key ON passage.case_person (key);

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

-- A reservation counts as taken in 'total' and in its month.
CREATE TABLE passage.waiting_list (
    case_id text PRIMARY KEY,
    programme text NOT NULL,
    ready_at timestamptz NOT NULL,
    sequence bigint GENERATED ALWAYS AS IDENTITY,
    reserved_month text
);
CREATE INDEX waiting_list_order ON passage.waiting_list (programme, ready_at, sequence) WHERE reserved_month IS NULL;
CREATE INDEX waiting_list_reserved ON passage.waiting_list (programme, reserved_month) WHERE reserved_month IS NOT NULL;

CREATE TABLE passage.place_counter (
    programme text NOT NULL,
    period text NOT NULL,
    taken integer NOT NULL CHECK (taken >= 0),
    PRIMARY KEY (programme, period)
) WITH (fillfactor = 50);
