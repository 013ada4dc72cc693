"""All functions of schema `rls` as the configuration wants them, in the order to define them."""

from sqlalchemy import Connection

from hedgerow.audit import functions as audit_functions
from hedgerow.config.row_security import RowSecurity
from hedgerow.provisioning import functions


def definitions(row_security: RowSecurity, *, audited: bool) -> tuple[str, ...]:
    """Return the SQL that defines them; `audited` where the audit trail's tables are there."""
    reason_required = row_security.audit is not None and row_security.audit.reason_required
    audit = audit_functions.define_statements(row_security.roles, reason_required=reason_required)
    signed = row_security.signing is not None
    return (
        *(audit if audited else ()),
        *functions.define_statements(row_security.id_type, signed=signed, audited=audited),
    )


def definitions_for(connection: Connection, row_security: RowSecurity) -> tuple[str, ...]:
    """Return the same for a database: the audit's where its tables are, whatever is wanted."""
    return definitions(row_security, audited=audit_functions.exist(connection))
