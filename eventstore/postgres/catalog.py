"""What the catalog of a database says of the schema, one line a fact, and what this version ships.

Whoever runs the server can replace a table by a view, drop a trigger, or change a function that writes; the facts of
`catalog.json` are those of a database that only `migrate` has touched.
"""

import json
from importlib import resources
from typing import Any, Final

from eventstore.postgres.migrate import migrations

_RELATIONS: Final = """
SELECT format('%s %s owner=%s kind=%s security=%s/%s parents=%s', 'relation', c.relname, pg_get_userbyid(c.relowner),
              c.relkind, c.relrowsecurity, c.relforcerowsecurity,
              (SELECT count(*) FROM pg_inherits AS i WHERE i.inhrelid = c.oid OR i.inhparent = c.oid))
FROM pg_class AS c WHERE c.relnamespace = 'passage'::regnamespace AND c.relkind <> 'c'
"""
_COLUMNS: Final = """
SELECT format('column %s.%s %s%s%s %s', c.relname, a.attname, format_type(a.atttypid, a.atttypmod),
              CASE WHEN a.attnotnull THEN ' not null' END,
              CASE WHEN a.attcollation <> t.typcollation THEN ' collate ' || o.collname END,
              coalesce(pg_get_expr(d.adbin, d.adrelid), '') || a.attidentity::text || a.attgenerated::text)
FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid JOIN pg_type AS t ON t.oid = a.atttypid
LEFT JOIN pg_attrdef AS d ON d.adrelid = c.oid AND d.adnum = a.attnum
LEFT JOIN pg_collation AS o ON o.oid = a.attcollation
WHERE c.relnamespace = 'passage'::regnamespace AND c.relkind IN ('r', 'c', 'v', 'm', 'f', 'p')
  AND a.attnum > 0 AND NOT a.attisdropped
"""
_CONSTRAINTS: Final = """
SELECT format('constraint %s.%s %s', c.relname, o.conname, pg_get_constraintdef(o.oid))
FROM pg_constraint AS o JOIN pg_class AS c ON c.oid = o.conrelid
WHERE c.relnamespace = 'passage'::regnamespace AND o.contype <> 'n'
"""
_INDEXES: Final = """
SELECT format('index %s valid=%s %s', i.indexrelid::regclass, i.indisvalid, pg_get_indexdef(i.indexrelid))
FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indrelid WHERE c.relnamespace = 'passage'::regnamespace
"""
_TRIGGERS: Final = """
SELECT format('trigger %s enabled=%s %s', c.relname, t.tgenabled, pg_get_triggerdef(t.oid))
FROM pg_trigger AS t JOIN pg_class AS c ON c.oid = t.tgrelid
WHERE c.relnamespace = 'passage'::regnamespace AND NOT t.tgisinternal
"""
_POLICIES: Final = """
SELECT format('policy %s.%s', tablename, policyname) FROM pg_policies WHERE schemaname = 'passage'
UNION ALL
SELECT format('rule %s.%s', tablename, rulename) FROM pg_rules WHERE schemaname = 'passage'
"""
_FUNCTIONS: Final = """
SELECT format('function %s(%s) returns %s owner=%s language=%s definer=%s volatile=%s kind=%s settings=%s source=%s',
              p.proname, pg_get_function_arguments(p.oid), pg_get_function_result(p.oid), pg_get_userbyid(p.proowner),
              l.lanname, p.prosecdef, p.provolatile, p.prokind, p.proconfig, encode(sha256(p.prosrc::bytea), 'hex'))
FROM pg_proc AS p JOIN pg_language AS l ON l.oid = p.prolang WHERE p.pronamespace = 'passage'::regnamespace
"""
_GRANTS: Final = """
SELECT format('grant %s on %s %s to %s%s', g.privilege_type, k.kind, k.name,
              CASE g.grantee WHEN 0 THEN 'public' ELSE pg_get_userbyid(g.grantee) END,
              CASE WHEN g.is_grantable THEN ' with grant option' END)
FROM (
    SELECT 'relation' AS kind, c.relname::text AS name, c.relacl AS acl, c.relowner AS owner FROM pg_class AS c
    WHERE c.relnamespace = 'passage'::regnamespace
    UNION ALL
    SELECT 'column', c.relname || '.' || a.attname, a.attacl, c.relowner
    FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid
    WHERE c.relnamespace = 'passage'::regnamespace AND a.attacl IS NOT NULL
    UNION ALL
    SELECT 'function', p.proname || '(' || pg_get_function_identity_arguments(p.oid) || ')',
           coalesce(p.proacl, acldefault('f', p.proowner)), p.proowner
    FROM pg_proc AS p WHERE p.pronamespace = 'passage'::regnamespace
    UNION ALL
    SELECT 'schema', n.nspname::text, n.nspacl, n.nspowner FROM pg_namespace AS n WHERE n.nspname = 'passage'
) AS k CROSS JOIN LATERAL aclexplode(k.acl) AS g
WHERE g.grantee <> k.owner
"""
_ROLES: Final = """
SELECT format('role %s login=%s superuser=%s bypasses=%s creates=%s in=%s', r.rolname, r.rolcanlogin, r.rolsuper,
              r.rolbypassrls, r.rolcreaterole,
              ARRAY(SELECT pg_get_userbyid(m.roleid) FROM pg_auth_members AS m WHERE m.member = r.oid ORDER BY 1))
FROM pg_roles AS r
WHERE r.rolname IN ('passage_owner', 'passage_writer', 'passage_reader', 'passage_auditor', 'passage_sealer',
                    'passage_eraser')
"""
_OTHERS: Final = """
SELECT format('operator %s', oprname) FROM pg_operator WHERE oprnamespace = 'passage'::regnamespace
UNION ALL
SELECT format('type %s %s', typname, typtype) FROM pg_type
WHERE typnamespace = 'passage'::regnamespace AND typtype <> 'b' AND typrelid = 0
UNION ALL
SELECT format('event trigger %s', evtname) FROM pg_event_trigger
"""
_MIGRATIONS: Final = "SELECT format('migration %s %s %s', number, name, checksum) FROM passage.schema_migration"
_EVERY: Final = (
    _RELATIONS, _COLUMNS, _CONSTRAINTS, _INDEXES, _TRIGGERS, _POLICIES, _FUNCTIONS, _GRANTS, _ROLES, _OTHERS,
)  # fmt: skip

FILE: Final = "catalog.json"


async def stated(connection: Any) -> frozenset[str]:
    """What the database says now. Any login may ask; names are looked up in `pg_catalog` alone."""
    await connection.execute("SET LOCAL search_path = pg_catalog")
    return frozenset([row[0] for query in _EVERY for row in await connection.fetch(query)])


async def migrated(connection: Any) -> frozenset[str]:
    """The migrations that the database says it has."""
    return frozenset([row[0] for row in await connection.fetch(_MIGRATIONS)])


def shipped() -> frozenset[str]:
    """What a database that only these migrations made says."""
    text = (resources.files("eventstore") / "postgres" / FILE).read_text("utf-8")
    return frozenset(json.loads(text))


def shipped_migrations() -> frozenset[str]:
    """The migrations of this version, as `migrated` has them."""
    return frozenset(f"migration {each.number} {each.name} {each.checksum}" for each in migrations())
