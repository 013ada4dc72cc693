"""What a policy is, and how PostgreSQL is told of it."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, replace

from sqlalchemy import ColumnElement, Table
from sqlalchemy.dialects import postgresql

from hedgerow import sql
from hedgerow.catalogs.policies import Command
from hedgerow.config.roles import MAX_IDENTIFIER_BYTES, RoleNames
from hedgerow.errors import ConfigurationError

Expression = str | ColumnElement[bool] | Callable[[Table], ColumnElement[bool]]
"""A condition: SQL text, a SQLAlchemy expression, or a function that builds one from the table."""


@dataclass(frozen=True, eq=False)
class Policy:
    """One row-security policy, as `CREATE POLICY` takes it.

    `using` decides which rows are seen, changed or deleted; `with_check` which rows may result.
    `roles` have their default names (see `RoleNames.deployed`), the application's where none are
    given. Permissive policies of one command are OR-ed, restrictive ones AND-ed (P29).

    Where UPDATE or ALL has no `with_check`, `using` holds for the new row too (P30).
    """

    name: str
    command: Command
    roles: tuple[str, ...] = (RoleNames.app,)
    using: Expression | None = None
    with_check: Expression | None = None
    permissive: bool = True

    def rendered(self, table: Table) -> "Policy":
        """Return the same policy with its conditions as SQL text."""
        using = _render(self.using, table)
        with_check = _render(self.with_check, table)
        if with_check is None and self.command in ("UPDATE", "ALL"):
            with_check = using
        return replace(self, using=using, with_check=with_check)

    def check(self) -> None:
        """Raise ConfigurationError where PostgreSQL would refuse this combination."""
        if self.command == "INSERT" and (self.using is not None or self.with_check is None):
            raise ConfigurationError(f"Policy {self.name!r}: INSERT takes with_check, not using.")
        if self.command in ("SELECT", "DELETE") and self.with_check is not None:
            raise ConfigurationError(f"Policy {self.name!r}: {self.command} takes no with_check.")
        if self.command != "INSERT" and self.using is None:
            raise ConfigurationError(f"Policy {self.name!r}: {self.command} needs using.")


def _render(expression: Expression | None, table: Table) -> str | None:
    if expression is None or isinstance(expression, str):
        return expression
    if not isinstance(expression, ColumnElement):
        expression = expression(table)
    compiled = expression.compile(
        dialect=postgresql.dialect(paramstyle="named"),  # type: ignore[no-untyped-call]
        compile_kwargs={"literal_binds": True},
    )
    return str(compiled)


def create_policy_statement(
    policy: Policy, table: str, schema: str | None, roles: RoleNames
) -> str:
    """Return the CREATE POLICY of a rendered `policy`, for roles as the deployment names them."""
    parts = [
        f"CREATE POLICY {sql.name(policy.name)} ON {sql.table_name(table, schema)}",
        f"AS {'PERMISSIVE' if policy.permissive else 'RESTRICTIVE'}",
        f"FOR {policy.command}",
        "TO " + ", ".join(sql.role_name(roles.deployed(role)) for role in policy.roles),
    ]
    if policy.using is not None:
        parts.append(f"USING ({policy.using})")
    if policy.with_check is not None:
        parts.append(f"WITH CHECK ({policy.with_check})")
    return " ".join(parts)


def drop_policy_statement(name: str, table: str, schema: str | None) -> str:
    """Return the DROP POLICY of the policy `name`."""
    return f"DROP POLICY {sql.name(name)} ON {sql.table_name(table, schema)}"


def policy_name(table: str, suffix: str) -> str:
    """Return `table_suffix`; a name that PostgreSQL would cut off keeps its suffix and a digest."""
    full = f"{table}_{suffix}"
    if len(full.encode()) <= MAX_IDENTIFIER_BYTES:
        return full
    digest = _digest(table)
    room = MAX_IDENTIFIER_BYTES - len(f"_{digest}_{suffix}")
    return f"{table.encode()[:room].decode(errors='ignore')}_{digest}_{suffix}"


def function_name(prefix: str, schema: str | None, table: str, *columns: str, suffix: str) -> str:
    """Return the name of a table's function in schema `rls`, which has those of all tables.

    A digest tells column `id` of table `a_b` from column `b_id` of table `a`.
    """
    words = [schema, table, *columns] if schema else [table, *columns]
    if len(words) > 1:
        suffix = f"{_digest(json.dumps([schema, table, *columns]))}_{suffix}"
    return policy_name(f"{prefix}{'_'.join(words)}", suffix)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:8]
