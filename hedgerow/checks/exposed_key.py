"""H109: a role other than the owner has privileges on the signing key."""

from collections.abc import Iterator

from hedgerow import sql
from hedgerow.catalogs.privileges import relation_privileges
from hedgerow.checks.inspection import Inspection
from hedgerow.checks.model import Check
from hedgerow.findings import Finding, Level

_KEY = "rls.signing_key"


def find(inspection: Inspection) -> Iterator[Finding]:
    """Find roles within the login's reach that may read a signing key, or insert one.

    Default privileges of the schema's owner, or a grant on all tables, would do it silently.
    """
    if inspection.login.rolsuper:
        return  # H101 reports it
    granted = {
        one.role: one.is_owner
        for one in relation_privileges(inspection.application, [_KEY])
        if one.role in ("public", *inspection.reach)
    }
    for role, is_owner in granted.items():
        yield Finding(
            subject=role,
            sentence=f"{role!r} has privileges on the table {_KEY}: injected SQL could sign any"
            " identity.",
            fix=(
                f"ALTER TABLE {_KEY} OWNER TO {sql.name(inspection.owner_name)};"
                if is_owner
                else f"REVOKE ALL ON {_KEY} FROM {sql.role_name(role)};"
            ),
        )


CHECK = Check("H109", Level.ERROR, "Signing key exposed", find, pitfalls=("P3",), at_start_up=True)
