"""Who was given privileges on a relation, of those that the login is or may become."""

from sqlalchemy import text

from hedgerow import sql
from hedgerow.checks.inspection import Inspection

_GRANTEES = text("""
    SELECT DISTINCT coalesce(r.rolname, 'public') AS role
    FROM pg_class c
    LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attacl IS NOT NULL
    CROSS JOIN LATERAL aclexplode(c.relacl || a.attacl) AS acl
    LEFT JOIN pg_roles r ON r.oid = acl.grantee
    WHERE c.oid = to_regclass(:relation) AND acl.grantee <> c.relowner
      AND (acl.grantee = 0 OR r.rolname = ANY(:reach))
    ORDER BY 1
""")


def revoke_statement(inspection: Inspection, relation: str, privileges: str = "ALL") -> str:
    """Return the SQL that takes `privileges` on `relation` from all within the login's reach."""
    grantees = inspection.application.scalars(
        _GRANTEES, {"relation": relation, "reach": inspection.reach}
    )
    roles = ", ".join(sql.role_name(role) for role in grantees)
    return f"REVOKE {privileges} ON {relation} FROM {roles};"
