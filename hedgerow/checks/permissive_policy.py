"""H117: a policy lets another user's rows through."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from sqlalchemy import Table

from hedgerow import sql
from hedgerow.catalogs.policies import LivePolicy
from hedgerow.checks.fixes import fix_policy, fix_tenancy
from hedgerow.checks.inspection import Inspection
from hedgerow.checks.model import Check
from hedgerow.checks.trial import become_new_user, true_for_another_users_row
from hedgerow.findings import Finding, Level
from hedgerow.policies.conditions import is_signed_in
from hedgerow.policies.non_users import ANONYMOUS_SELECT
from hedgerow.policies.policy import policy_name
from hedgerow.policies.scope import Scope
from hedgerow.policies.standard import EVERYONE_SELECT, is_read_by_every_user
from hedgerow.policies.tenancy import FOUNDED
from hedgerow.policies.tenancy_sql import CO_MEMBERS, TENANTS, functions

_READ_BY_USING = ("SELECT", "UPDATE", "DELETE")


def find(inspection: Inspection) -> Iterator[Finding]:
    """Find permissive policies that are true for a row whose owner is another user.

    Permissive policies are OR-ed, so one `USING (true)`, added to make a report work, undoes all
    the others. Restrictive policies that hold such a row back count, and so does `read="everyone"`.
    """
    if not inspection.row_security.enabled:
        return
    policies = defaultdict(list)
    for policy in inspection.policies:
        policies[policy.table].append(policy)
    become_new_user(inspection)
    for oid, present in policies.items():
        conditions = [policy.using for policy in present if policy.using is not None]
        holds = true_for_another_users_row(inspection, oid, conditions)
        table, scope = inspection.tables[oid]
        for policy in present:
            if _is_declared_for_everyone(inspection, policy, table, scope):
                continue
            if any(_lets_through(policy, present, holds, command) for command in _READ_BY_USING):
                yield Finding(
                    subject=f"{table.fullname}.{policy.name}",
                    sentence=f"Policy {policy.name!r} of table {table.fullname!r} lets another"
                    " user's rows through, whatever the other policies say.",
                    fix=fix_policy(inspection, table, scope, policy.name),
                )
    yield from _functions_that_tell_too_much(inspection)


def _functions_that_tell_too_much(inspection: Inspection) -> Iterator[Finding]:
    """Find functions of tenants that name some to a user who is a member of none."""
    tenancy = inspection.tenancy
    if tenancy is None:
        return
    if sql.table_name(tenancy.members, tenancy.schema) not in inspection.live_tables:
        return  # H104 reports it
    asked = {
        TENANTS: "cardinality(rls.tenants()) > 0",
        CO_MEMBERS: "cardinality(rls.co_members()) > 0",
        FOUNDED: f"{FOUNDED} IS NOT NULL",
    }
    made = [function for function in asked if function in functions(tenancy)]
    query = f"SELECT {', '.join(asked[function] for function in made)}"
    told = inspection.application.execute(sql.Statement(query)).one()
    for function, tells in zip(made, told, strict=True):
        if tells:
            yield Finding(
                subject=function,
                sentence=f"Function {function!r} takes a user who is a member of no tenant for a"
                " member: policies let others' rows through.",
                fix=fix_tenancy(inspection),
            )


def _is_declared_for_everyone(
    inspection: Inspection, policy: LivePolicy, table: Table, scope: Scope
) -> bool:
    """Return whether it is a policy of `read="everyone"` or `public`, and as they make it."""
    if policy.command != "SELECT":
        return False
    if policy.roles == (inspection.row_security.roles.anonymous,):
        # Where a column or the parents decide, its condition is tried like any other.
        all_rows = scope.public is True and not scope.parents
        return all_rows and policy.name == policy_name(table.name, ANONYMOUS_SELECT)
    return (
        is_read_by_every_user(scope)
        and policy.name == policy_name(table.name, EVERYONE_SELECT)
        and is_signed_in(policy.using)
    )


def _lets_through(
    policy: LivePolicy,
    present: Sequence[LivePolicy],
    holds: Mapping[str, bool],
    command: str,
) -> bool:
    """Return whether `policy` opens `command` and no restrictive policy closes it again."""
    if not (policy.permissive and policy.applies_to(command) and holds.get(policy.using or "")):
        return False
    return all(
        holds.get(other.using or "", True)
        for other in present
        if not other.permissive and other.applies_to(command)
    )


CHECK = Check(
    "H117", Level.ERROR, "Overly permissive policy", find, pitfalls=("P29",), at_start_up=True
)
