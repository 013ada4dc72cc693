"""Hedgerow: row-level security for SQLModel, SQLAlchemy, Alembic and FastAPI on PostgreSQL."""

from hedgerow.admin import AdminContext
from hedgerow.audit.declaration import Audit, Recorded
from hedgerow.binding import bind, bind_async
from hedgerow.errors import (
    ConfigurationError,
    DatabaseNotReadyError,
    HedgerowError,
    IdentityError,
    ProvisioningError,
)
from hedgerow.identity import Identity, Origin, Role
from hedgerow.policy import Policy
from hedgerow.project import Project
from hedgerow.roles import LoginPasswords
from hedgerow.row_security import RoleNames, RowSecurity
from hedgerow.scope import Exempt, Scope, exempt, scoped_tables
from hedgerow.session import identity_of
from hedgerow.signing import Signing

__all__ = [
    "AdminContext",
    "Audit",
    "ConfigurationError",
    "DatabaseNotReadyError",
    "Exempt",
    "HedgerowError",
    "Identity",
    "IdentityError",
    "LoginPasswords",
    "Origin",
    "Policy",
    "Project",
    "ProvisioningError",
    "Recorded",
    "Role",
    "RoleNames",
    "RowSecurity",
    "Scope",
    "Signing",
    "bind",
    "bind_async",
    "exempt",
    "identity_of",
    "scoped_tables",
]
