"""The policies of those who are no user: who signs in, nobody on purpose, and services.

Each has a database role of its own, so that no condition has to ask who is asking (P45).
"""

from collections.abc import Iterator, Mapping

from sqlalchemy import Table, literal
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import CompileError

from hedgerow import sql
from hedgerow.config.roles import RoleNames
from hedgerow.errors import ConfigurationError
from hedgerow.policies.conditions import sees_parents
from hedgerow.policies.exempt import Exempt
from hedgerow.policies.options import ALL_COMMANDS, RowCommand
from hedgerow.policies.policy import Policy, policy_name
from hedgerow.policies.scope import Scope

CLAIMED = "(SELECT rls.sign_in())"

ANONYMOUS_SELECT = "anonymous_select"
"""How the name of the policy ends that shows `public` rows to nobody."""


def non_user_policies(table: Table, scope: Scope) -> Iterator[Policy]:
    """Yield the policies of a scoped table through which others than users reach its rows."""
    if scope.sign_in_column is not None:
        yield from _sign_in_policies(table, scope, sql.name(scope.sign_in_column))
    if scope.public:
        seen = sees_parents(table, scope, public=True) if scope.parents else public_rows(scope)
        roles = (RoleNames.anonymous,)
        yield Policy(policy_name(table.name, ANONYMOUS_SELECT), "SELECT", roles, using=seen)
    for command, names in services_by_command(scope).items():
        yield _service_policy(table, command, names)


def public_rows(scope: Scope) -> str:
    """Return the condition under which a row of a table that is declared public is."""
    return sql.name(scope.public) if isinstance(scope.public, str) else "true"


def inserted_values(table: Table, scope: Scope) -> str:
    """Return what follows a condition of INSERT, so that columns of admins have their values."""
    conditions = []
    for name, value in scope.admin_only.items():
        if value is None:
            conditions.append(f" AND {sql.name(name)} IS NULL")
            continue
        column = table.columns[name]
        try:
            rendered = literal(value, column.type).compile(
                dialect=postgresql.dialect(),  # type: ignore[no-untyped-call]
                compile_kwargs={"literal_binds": True},
            )
        except CompileError:
            raise ConfigurationError(
                f"admin_only of table {table.name!r} gives {name!r} the value {value!r}, which its"
                f" type {column.type} does not hold."
            ) from None
        conditions.append(f" AND {sql.name(name)} = {rendered}")
    return "".join(conditions)


def services_by_command(scope: Scope | Exempt) -> Mapping[RowCommand, list[str]]:
    """Return the names of the services that a declaration admits, by command."""
    named = {
        command: sorted(name for name, own in scope.services.items() if command in own)
        for command in ALL_COMMANDS
    }
    return {command: names for command, names in named.items() if names}


def _sign_in_policies(table: Table, scope: Scope, column: str) -> Iterator[Policy]:
    roles = (RoleNames.sign_in,)
    claimed = f"{column} = {CLAIMED}"
    yield Policy(policy_name(table.name, "sign_in_select"), "SELECT", roles, using=claimed)
    if "INSERT" not in scope.commands:
        return
    yield Policy(
        policy_name(table.name, "sign_in_insert"),
        "INSERT",
        roles,
        with_check=f"{claimed}{inserted_values(table, scope)}",
    )


def _service_policy(table: Table, command: RowCommand, names: list[str]) -> Policy:
    admitted = ", ".join(sql.text_literal(name) for name in names)
    # The comparison is inside the sub-select: outside, it would be made once a row.
    condition = f"(SELECT rls.service() = ANY (ARRAY[{admitted}]))"
    return Policy(
        policy_name(table.name, f"service_{command.lower()}"),
        command,
        (RoleNames.service,),
        using=None if command == "INSERT" else condition,
        with_check=condition if command in ("INSERT", "UPDATE") else None,
    )
