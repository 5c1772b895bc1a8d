"""No login but the owner's can become the owner: what a function of the owner's names is never found in pg_temp."""

from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest

from eventstore.postgres.migrate import migrate

LOGINS = ["passage_writer", "passage_reader", "passage_auditor", "passage_sealer", "passage_eraser"]

MINE = """
CREATE FUNCTION pg_temp.become_owner() RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    ALTER TABLE passage.events DISABLE TRIGGER append_only;
    RETURN true;
END
$$;
CREATE DOMAIN pg_temp.text AS pg_catalog.text CHECK (pg_temp.become_owner());
CREATE DOMAIN pg_temp.bytea AS pg_catalog.bytea CHECK (pg_temp.become_owner());
CREATE DOMAIN pg_temp.int4 AS pg_catalog.int4 CHECK (pg_temp.become_owner());
"""

ACCESS = (
    "SELECT passage.record_views('p', 'c', 0, '', now(), 'a', 'none', 'x', '{T}', '{1}', ARRAY[now()], '{x}', '{x}',"
    " '{x}')"
)
CALLS = {
    "passage_writer": (
        ACCESS,
        "SELECT passage.receive('VEN-1', 'VEN-1', 'p', 's', 'm', 'k', 'x', NULL, 'x', now(), 's', NULL, true)",
        "SELECT passage.claim_notifications(1)",
    ),
    "passage_auditor": (
        ACCESS,
        "SELECT passage.lock_access('p')",
    ),
    "passage_sealer": ("SELECT passage.take_leaves(0, 10)", "SELECT passage.put_tiles('{0}', '{0}', '{x}')"),
    "passage_eraser": (
        "SELECT passage.lock_access('p')",
        "SELECT passage.erase_case('VEN-1', 'p', 'c', 0, '', now(), 'a', 'none', 'x', 1::smallint, now(), '', '', '')",
    ),
    "passage_reader": (),
}


@pytest.fixture
async def migrated(empty_database_url: str) -> str:
    """Not a copy of the template: what is granted on a database itself is not copied."""
    await migrate(empty_database_url)
    return empty_database_url


async def login(url: str, role: str) -> asyncpg.Connection:
    """A session of a login that is a member of `role` and of nothing else."""
    owner = await asyncpg.connect(url)
    name = f"login_of_{role}"
    if not await owner.fetchval("SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1)", name):
        await owner.execute(f"CREATE ROLE {name} LOGIN IN ROLE {role}")
    await owner.execute(f"SET SESSION AUTHORIZATION {name}; SET search_path = pg_temp, pg_catalog")
    return owner


@pytest.mark.parametrize("role", LOGINS)
async def test_no_login_makes_temporary_objects(migrated: str, role: str) -> None:
    connection = await login(migrated, role)
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="temporary"):
        await connection.execute(MINE)
    await connection.close()


@pytest.mark.parametrize("role", LOGINS)
async def test_what_a_login_has_in_pg_temp_never_runs_as_the_owner(migrated: str, role: str) -> None:
    """Also where an administrator grants TEMP again, as a restored database may."""
    administrator = await asyncpg.connect(migrated)
    name = await administrator.fetchval("SELECT current_database()")
    await administrator.execute(f'GRANT TEMPORARY ON DATABASE "{name}" TO PUBLIC')
    connection = await login(migrated, role)
    await connection.execute(MINE)
    for call in CALLS[role]:
        # Whatever the call itself comes to: what counts is that nothing of the owner's changed.
        await connection.execute(f"DO $$ BEGIN PERFORM {call[7:]}; EXCEPTION WHEN OTHERS THEN NULL; END $$")
    state = await administrator.fetchval(
        "SELECT tgenabled FROM pg_trigger WHERE tgrelid = 'passage.events'::regclass AND tgname = 'append_only'"
    )
    assert state == b"A"
    await connection.close()
    await administrator.close()


BECOMING = [
    "SET ROLE passage_owner",
    "SET SESSION AUTHORIZATION passage_owner",
    "GRANT passage_owner TO CURRENT_USER",
    "ALTER ROLE passage_owner LOGIN PASSWORD 'x'",
    "CREATE SCHEMA mine",
    "CREATE TABLE public.mine (x int)",
    "CREATE TABLE passage.mine (x int)",
    "CREATE FUNCTION passage.mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "CREATE OR REPLACE FUNCTION passage.refuse_change() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
    "ALTER FUNCTION passage.refuse_change OWNER TO CURRENT_USER",
    "ALTER TABLE passage.events DISABLE TRIGGER append_only",
    "CREATE EXTENSION plperlu",
    "COPY (SELECT 1) TO PROGRAM 'true'",
    "SET session_replication_role = replica",
    "SELECT pg_read_file('PG_VERSION')",
]
"""Each tried by each login; what it can do by its own functions is tried in `test_narrow_logins.py`."""


@pytest.mark.parametrize("role", LOGINS)
async def test_no_login_becomes_the_owner_or_makes_anything(migrated: str, role: str) -> None:
    administrator = await asyncpg.connect(migrated)
    try:
        await login(migrated, role)
        url = urlsplit(migrated)
        await administrator.execute(f"ALTER ROLE login_of_{role} PASSWORD 'w'")
        port = urlunsplit(url._replace(netloc=f"login_of_{role}:w@{url.hostname}:{url.port}"))
        connection = await asyncpg.connect(port)
        for attempt in BECOMING:
            with pytest.raises(asyncpg.PostgresError):
                await connection.execute(attempt)
        assert not await connection.fetchval("SELECT pg_has_role('passage_owner', 'MEMBER')")
        await connection.close()
    finally:
        await administrator.close()


async def test_no_function_of_the_owner_runs_text_or_is_for_everybody(migrated: str) -> None:
    connection = await asyncpg.connect(migrated)
    found = await connection.fetch(
        "SELECT proname, prosrc ~* '\\mexecute\\M' AS dynamic, "
        "       EXISTS (SELECT FROM aclexplode(coalesce(proacl, acldefault('f', proowner))) AS a WHERE a.grantee = 0) "
        "           AS public FROM pg_proc WHERE pronamespace = 'passage'::regnamespace"
    )
    await connection.close()
    assert [row["proname"] for row in found if row["dynamic"] or row["public"]] == []
    assert len(found) > 50


async def test_every_function_of_the_owner_looks_in_pg_temp_last(migrated: str) -> None:
    connection = await asyncpg.connect(migrated)
    without = await connection.fetch(
        "SELECT proname FROM pg_proc WHERE pronamespace = 'passage'::regnamespace AND prosecdef "
        "AND NOT coalesce('search_path=pg_catalog, pg_temp' = ANY (proconfig), false)"
    )
    await connection.close()
    assert [row["proname"] for row in without] == []


async def test_an_event_whose_hash_is_not_of_its_header_is_refused(migrated: str) -> None:
    connection = await asyncpg.connect(migrated)
    with pytest.raises(asyncpg.CheckViolationError):
        await connection.execute(
            "INSERT INTO passage.events VALUES ('s', 1, 's:1', 'T', 1, now(), now(), 'a', 'c', NULL, NULL, '{}', NULL,"
            " 'none', sha256(''), NULL, 'header', sha256('other'))"
        )
    await connection.close()
