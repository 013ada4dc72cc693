"""H106: a function in schema `rls` is not Hedgerow's."""

from collections.abc import Iterator

from sqlalchemy import text

from hedgerow import sql
from hedgerow.checks.fixes import UPGRADE, remake
from hedgerow.checks.inspection import Inspection
from hedgerow.checks.model import Check
from hedgerow.findings import Finding, Level
from hedgerow.provisioning import functions
from hedgerow.provisioning.drift import differing_functions


def find(inspection: Inspection) -> Iterator[Finding]:
    """Find functions that were altered or dropped: every policy asks them for the identity.

    A `rls.user_id()` that was made IMMUTABLE "for speed" is frozen into cached plans, and user
    B gets user A's rows.
    """
    owner = inspection.as_owner()
    if not functions.exist(owner):
        yield Finding(
            subject=functions.SCHEMA,
            sentence="Schema 'rls' is missing: requests that use a scoped table fail.",
            fix=remake(inspection),
        )
        return
    for name, is_ours in differing_functions(owner, inspection.row_security).items():
        what = "is altered or missing" if is_ours else "is not Hedgerow's"
        yield Finding(
            subject=name,
            sentence=f"Function {name} {what}: policies may take a request for another user's.",
            fix=UPGRADE if is_ours else _removal(inspection, name),
        )


def _removal(inspection: Inspection, function: str) -> str:
    """Return what takes a function out of the schema, and leaves the policies that call it."""
    if function not in inspection.used_by_policies:
        return f"DROP ROUTINE {function};"
    elsewhere = str(inspection.as_owner().scalar(text("SELECT current_schema()")))
    return f"ALTER ROUTINE {function} SET SCHEMA {sql.name(elsewhere)};"


CHECK = Check("H106", Level.ERROR, "Function drift", find, pitfalls=("P17",))
