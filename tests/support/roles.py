"""What the catalog says of a role."""

from typing import Final

from sqlalchemy import Connection, text

from hedgerow import LoginPasswords, sql

PASSWORDS: Final = LoginPasswords(app="app's %s \\ password", maintenance="other")


def run(connection: Connection, *statements: str) -> None:
    """Run statements as they stand."""
    for statement in statements:
        connection.execute(sql.Statement(statement))


def attributes(connection: Connection, role: str) -> dict[str, bool]:
    """Return the attributes of `role` by the names of their columns in pg_roles."""
    row = connection.execute(
        text(
            "SELECT rolsuper, rolcreatedb, rolcreaterole, rolreplication, rolbypassrls,"
            " rolcanlogin, rolinherit FROM pg_roles WHERE rolname = :role"
        ),
        {"role": role},
    ).one()
    return dict(row._mapping)


def inherits(connection: Connection, role: str) -> set[str]:
    """Return the roles whose privileges `role` has without SET ROLE."""
    return _related(connection, role, "USAGE")


def may_become(connection: Connection, role: str) -> set[str]:
    """Return the roles that `role` is a member of, inheriting or not."""
    return _related(connection, role, "MEMBER")


def _related(connection: Connection, role: str, how: str) -> set[str]:
    names = connection.scalars(
        text(
            "SELECT rolname FROM pg_roles WHERE rolname <> :role AND pg_has_role(:role, oid, :how)"
        ),
        {"role": role, "how": how},
    )
    return set(names)
