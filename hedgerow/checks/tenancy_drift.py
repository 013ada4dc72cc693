"""What differs of the functions and triggers behind tenants, for H105."""

from collections.abc import Iterator

from hedgerow.checks.fixes import WRITE_REVISION, fix_tenancy
from hedgerow.checks.inspection import Inspection
from hedgerow.findings import Finding
from hedgerow.policies.live_tenancy import live_tenancy
from hedgerow.policies.tenancy import FOUNDED
from hedgerow.policies.tenancy_sql import CO_MEMBERS, FOUNDS_TENANTS, TENANTS, triggers

ASKED = ("tenants", "co_members", "founded")
"""The functions that policies ask, in schema `rls`."""

_DECIDES = {
    TENANTS: "it decides which tenants' rows a user sees and changes",
    CO_MEMBERS: "it decides which co-members' rows a user sees",
    FOUNDED: "it decides whether who makes a tenant is shown it",
    FOUNDS_TENANTS: "a tenant can be made without an owner",
    "note_founding": "who makes a tenant is not shown it",
    "found_tenant": "a tenant is made without an owner",
    "keep_an_owner": "a tenant can lose its last owner",
}


def tenancy_differences(inspection: Inspection) -> Iterator[Finding]:
    """Find what is missing, altered, another role's or off, and what no model declares."""
    live = live_tenancy(inspection.as_owner())
    tenancy = inspection.tenancy
    if tenancy is None or (live is not None and live != tenancy):
        if live is not None:
            yield Finding(
                subject=TENANTS,
                sentence=f"Function {TENANTS!r} and its like tell of the members of table"
                f" {live.members!r} otherwise than the models declare.",
                fix=WRITE_REVISION,
            )
        return
    tables = {trigger.name: trigger.table for trigger in triggers(tenancy)}
    for name in inspection.altered_tenancy:
        table = tables.get(name)
        what = f"Function {name!r}" if table is None else f"Trigger {name!r} of table {table!r}"
        yield Finding(
            subject=name if table is None else f"{table} {name}",
            sentence=f"{what} is not as the models declare it: {_decides(name)}.",
            fix=fix_tenancy(inspection),
        )


def _decides(name: str) -> str:
    word = name.removeprefix("Hedgerow_").removeprefix("rls.").removesuffix("()")
    return _DECIDES.get(name) or _DECIDES[word]
