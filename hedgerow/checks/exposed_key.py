"""H109: somebody but the owner has privileges on the signing key."""

from collections.abc import Iterator

from sqlalchemy import text

from hedgerow import sql
from hedgerow.checks.inspection import Inspection
from hedgerow.checks.model import Check
from hedgerow.findings import Finding, Level

_GRANTEES = text("""
    SELECT DISTINCT coalesce(r.rolname, 'public') AS role, acl.grantee = c.relowner AS owns
    FROM pg_class c
    LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attacl IS NOT NULL
    CROSS JOIN LATERAL aclexplode(coalesce(c.relacl, acldefault('r', c.relowner)) || a.attacl) acl
    LEFT JOIN pg_roles r ON r.oid = acl.grantee
    WHERE c.oid = to_regclass('rls.signing_key')
      AND (acl.grantee = 0 OR r.rolname = ANY(:reach))
    ORDER BY 1
""")


def find(inspection: Inspection) -> Iterator[Finding]:
    """Find roles within the login's reach that may read a signing key, or put in their own.

    Default privileges of the schema's owner, or a grant on all tables, would do it silently.
    """
    if inspection.login.rolsuper:
        return  # H101 says it already
    for row in inspection.application.execute(_GRANTEES, {"reach": inspection.reach}):
        yield Finding(
            subject=row.role,
            sentence=f"{row.role!r} has privileges on the table rls.signing_key: injected SQL could"
            " sign any identity.",
            fix=(
                f"ALTER TABLE rls.signing_key OWNER TO {sql.name(inspection.owner_name)};"
                if row.owns
                else f"REVOKE ALL ON rls.signing_key FROM {sql.role_name(row.role)};"
            ),
        )


CHECK = Check("H109", Level.ERROR, "Exposed key", find, pitfalls=("P3",), at_start_up=True)
