"""Tables, and whether they enforce their policies."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields

from sqlalchemy import Connection, RowMapping, text

from hedgerow import sql
from hedgerow.catalogs.privileges import MAY_USE

_COLUMNS = """
    c.oid, n.nspname AS schema, c.relname AS name,
    n.nspname = current_schema() AS in_default_schema, pg_get_userbyid(c.relowner) AS owner,
    c.relrowsecurity AS enabled, c.relforcerowsecurity AS forced,
    (SELECT count(*) FROM pg_policy WHERE polrelid = c.oid) AS policies
"""

_BY_NAME = text(f"""
    SELECT asked.name AS asked, {_COLUMNS}
    FROM unnest(CAST(:names AS text[])) WITH ORDINALITY AS asked (name, position)
    JOIN pg_class c ON c.oid = to_regclass(asked.name)
    JOIN pg_namespace n ON n.oid = c.relnamespace
    ORDER BY asked.position
""")  # noqa: S608

_BY_SCHEMA = text(f"""
    SELECT {_COLUMNS}
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p') AND n.nspname = ANY(:schemas)
""")  # noqa: S608

_OPEN_CHILDREN = text(f"""
    WITH RECURSIVE child AS (
        SELECT inhrelid AS oid, inhparent AS root FROM pg_inherits WHERE inhparent = ANY(:tables)
        UNION
        SELECT i.inhrelid, child.root FROM child JOIN pg_inherits i ON i.inhparent = child.oid
    )
    SELECT DISTINCT c.oid::regclass::text AS name, format('%I.%I', n.nspname, c.relname) AS target,
        child.root::regclass::text AS parent
    FROM child JOIN pg_class c ON c.oid = child.oid JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE NOT c.relrowsecurity AND c.oid <> ALL(:tables) AND {MAY_USE}
    ORDER BY 1
""")  # noqa: S608


_UNPROTECTED = text(f"""
    WITH RECURSIVE known AS (
        SELECT to_regclass(name)::oid AS oid FROM unnest(CAST(:but AS text[])) AS name
        UNION
        SELECT i.inhrelid FROM known JOIN pg_inherits i ON i.inhparent = known.oid
    )
    SELECT {_COLUMNS}
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'f') AND NOT c.relrowsecurity
      AND n.nspname <> ALL(ARRAY['information_schema', :but_schema]) AND n.nspname !~ '^pg_'
      AND c.oid NOT IN (SELECT oid FROM known WHERE oid IS NOT NULL)
      AND EXISTS (SELECT FROM unnest(CAST(:roles AS name[])) AS role
          WHERE has_schema_privilege(role, n.oid, 'USAGE')
            AND has_any_column_privilege(role, c.oid, 'SELECT'))
    ORDER BY n.nspname, c.relname
""")  # noqa: S608


@dataclass(frozen=True)
class LiveTable:
    """A table as the database has it; `policies` is how many it has.

    `enabled` where it enforces policies on ordinary roles, `forced` where on its owner too.
    """

    oid: int
    schema: str
    name: str
    in_default_schema: bool
    owner: str
    enabled: bool
    forced: bool
    policies: int

    @property
    def sql(self) -> str:
        """The table, or the type of its rows, as SQL."""
        return sql.table_name(self.name, self.schema)


@dataclass(frozen=True)
class OpenChild:
    """A partition or child that has no row security of its own; `target` is its name as SQL."""

    name: str
    target: str
    parent: str


def tables_by_name(connection: Connection, names: Collection[str]) -> Mapping[str, LiveTable]:
    """Return the tables that exist, in the order and by the names that are given, in SQL."""
    found = connection.execute(_BY_NAME, {"names": list(names)}).mappings()
    return {row["asked"]: _table(row) for row in found}


def tables_in(connection: Connection, schemas: Collection[str]) -> list[LiveTable]:
    """Return all tables of the schemas."""
    return [
        _table(row) for row in connection.execute(_BY_SCHEMA, {"schemas": list(schemas)}).mappings()
    ]


def open_children(
    connection: Connection, tables: Collection[int], roles: Collection[str]
) -> list[OpenChild]:
    """Return what inherits from the tables, has no row security, and one of the roles may use."""
    asked = {"tables": list(tables), "roles": list(roles)}
    return [OpenChild(**row) for row in connection.execute(_OPEN_CHILDREN, asked).mappings()]


def unprotected_tables(
    connection: Connection, roles: Collection[str], *, but: Collection[str], but_schema: str
) -> list[LiveTable]:
    """Return what has no row security and one of the roles may read, ordered by schema and name.

    Left out are the tables `but`, whose names are given as SQL, their children and partitions, and
    the server's own schemas.
    """
    asked = {"roles": list(roles), "but": list(but), "but_schema": but_schema}
    return [_table(row) for row in connection.execute(_UNPROTECTED, asked).mappings()]


def _table(row: RowMapping) -> LiveTable:
    return LiveTable(**{field.name: row[field.name] for field in fields(LiveTable)})
