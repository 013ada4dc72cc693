"""Settings that sessions begin with because a role or the database has them by default."""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Connection, text

from hedgerow import sql

_DEFAULTS = text("""
    SELECT r.rolname AS role, d.datname AS database, lower(split_part(made.entry, '=', 1)) AS name,
        coalesce((
            SELECT context IN ('superuser', 'superuser-backend') FROM pg_settings
            WHERE lower(name) = lower(split_part(made.entry, '=', 1))
        ), false) AS for_superusers
    FROM pg_db_role_setting s
    LEFT JOIN pg_roles r ON r.oid = s.setrole
    LEFT JOIN pg_database d ON d.oid = s.setdatabase
    CROSS JOIN LATERAL unnest(s.setconfig) AS made (entry)
    WHERE (s.setrole = 0 OR r.rolname = ANY(:roles))
      AND (s.setdatabase = 0 OR d.datname = current_database())
    ORDER BY 1, 2, 3
""")


@dataclass(frozen=True)
class DefaultSetting:
    """One setting of `ALTER ROLE ... SET` or `ALTER DATABASE ... SET`.

    `role` is None where it is for all roles, `database` where it is for all databases.
    `for_superusers` where no ordinary role may make it.
    """

    role: str | None
    database: str | None
    name: str
    for_superusers: bool

    @property
    def whose(self) -> str:
        """What ALTER calls its place: `ROLE app`, `ROLE app IN DATABASE db`, `DATABASE db`."""
        if self.role is None and self.database is not None:
            return f"DATABASE {sql.name(self.database)}"
        whose = f"ROLE {sql.name(self.role)}" if self.role is not None else "ROLE ALL"
        return whose if self.database is None else f"{whose} IN DATABASE {sql.name(self.database)}"

    def reset_statement(self) -> str:
        """Return the SQL that takes it back."""
        return f"ALTER {self.whose} RESET {'.'.join(map(sql.name, self.name.split('.')))}"


def default_settings(connection: Connection, roles: Collection[str]) -> list[DefaultSetting]:
    """Return those of `roles`, and of all roles, in this database or in all."""
    rows = connection.execute(_DEFAULTS, {"roles": list(roles)}).mappings()
    return [DefaultSetting(**row) for row in rows]
