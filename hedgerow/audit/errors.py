"""What can be wrong with a question to the audit trail."""

from hedgerow.errors import HedgerowError


class AuditError(HedgerowError):
    """What was asked of the audit trail cannot be meant, or must not be done."""
