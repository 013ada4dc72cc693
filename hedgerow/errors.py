"""Every error that Hedgerow raises, and the SQLSTATEs that its functions raise in PostgreSQL."""

MISSING_IDENTITY = "RL001"
"""SQLSTATE of `rls.user_id()` and `rls.role()` where the transaction carries no identity.

Classes that begin with I to Z are free for applications (SQL standard, part 2, clause 24.1).
"""

INVALID_SIGNATURE = "RL002"
"""SQLSTATE where the identity was not signed with the database's key, or was altered since."""

EXPIRED_SIGNATURE = "RL003"
"""SQLSTATE where the signature is too old, or from the future, for the transaction."""

UNRECORDED_ELEVATION = "RL004"
"""SQLSTATE where an admin's transaction has no committed record of its elevation."""

REFUSED_DDL = "RL005"
"""SQLSTATE where a session that logged in as the application's role runs DDL."""

LAST_OWNER = "RL006"
"""SQLSTATE where a tenant would be left without an owner."""

INSUFFICIENT_PRIVILEGE = "42501"
READ_ONLY_TRANSACTION = "25006"


class HedgerowError(Exception):
    """Base class of everything that Hedgerow raises; the message names the fix."""


class ConfigurationError(HedgerowError):
    """The project's declarations cannot be meant: a role named twice, an unknown id type."""


class IdentityError(HedgerowError):
    """An identity cannot be bound here, or would never reach the database."""


class ProvisioningError(HedgerowError):
    """The database could not be brought to what the configuration says."""


class MigrationError(HedgerowError):
    """A migration failed, and its transaction was rolled back."""


class DriftError(HedgerowError):
    """The database differs from the declarations, or it cannot be told whether it does."""


class DatabaseNotReadyError(HedgerowError):
    """The database would not keep users apart as it is set up; the application must not start."""
