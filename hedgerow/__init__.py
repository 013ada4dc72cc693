"""Hedgerow: row-level security for SQLModel, SQLAlchemy, Alembic and FastAPI on PostgreSQL.

Each name is imported when it is first used, so that `hedgerow --help` needs no SQLAlchemy.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hedgerow.checks.readiness import verify as verify
    from hedgerow.config.audit import Audit as Audit
    from hedgerow.config.audit import Recorded as Recorded
    from hedgerow.config.identity import Identity as Identity
    from hedgerow.config.identity import Origin as Origin
    from hedgerow.config.identity import Role as Role
    from hedgerow.config.identity import UserId as UserId
    from hedgerow.config.project import Project as Project
    from hedgerow.config.roles import LoginPasswords as LoginPasswords
    from hedgerow.config.roles import RoleNames as RoleNames
    from hedgerow.config.row_security import RowSecurity as RowSecurity
    from hedgerow.config.signing import Signing as Signing
    from hedgerow.errors import ConfigurationError as ConfigurationError
    from hedgerow.errors import DatabaseNotReadyError as DatabaseNotReadyError
    from hedgerow.errors import HedgerowError as HedgerowError
    from hedgerow.errors import IdentityError as IdentityError
    from hedgerow.errors import ProvisioningError as ProvisioningError
    from hedgerow.policies.exempt import Exempt as Exempt
    from hedgerow.policies.exempt import exempt as exempt
    from hedgerow.policies.policy import Policy as Policy
    from hedgerow.policies.registry import declare as declare
    from hedgerow.policies.registry import scoped_tables as scoped_tables
    from hedgerow.policies.scope import Scope as Scope
    from hedgerow.policies.scope import Shares as Shares
    from hedgerow.sessions.bind import bind as bind
    from hedgerow.sessions.bind import bind_async as bind_async
    from hedgerow.sessions.cursors import AsyncSingleStatementCursor as AsyncSingleStatementCursor
    from hedgerow.sessions.cursors import SingleStatementCursor as SingleStatementCursor
    from hedgerow.sessions.elevation import AdminContext as AdminContext
    from hedgerow.sessions.guard import guard as guard
    from hedgerow.sessions.read_only import read_only as read_only
    from hedgerow.sessions.state import identity_of as identity_of

_MODULES = {
    "checks.readiness": ("verify",),
    "config.audit": ("Audit", "Recorded"),
    "config.identity": ("Identity", "Origin", "Role", "UserId"),
    "config.project": ("Project",),
    "config.roles": ("LoginPasswords", "RoleNames"),
    "config.row_security": ("RowSecurity",),
    "config.signing": ("Signing",),
    "errors": (
        "ConfigurationError",
        "DatabaseNotReadyError",
        "HedgerowError",
        "IdentityError",
        "ProvisioningError",
    ),
    "policies.policy": ("Policy",),
    "policies.registry": ("declare", "scoped_tables"),
    "policies.exempt": ("Exempt", "exempt"),
    "policies.scope": ("Scope", "Shares"),
    "sessions.bind": ("bind", "bind_async"),
    "sessions.cursors": ("AsyncSingleStatementCursor", "SingleStatementCursor"),
    "sessions.elevation": ("AdminContext",),
    "sessions.guard": ("guard",),
    "sessions.read_only": ("read_only",),
    "sessions.state": ("identity_of",),
}
_HOMES = {name: f"{__name__}.{module}" for module, names in _MODULES.items() for name in names}

__all__ = sorted(_HOMES)


def __getattr__(name: str) -> object:
    try:
        module = _HOMES[name]
    except KeyError:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}") from None
    return getattr(import_module(module), name)


def __dir__() -> list[str]:
    return [*globals(), *_HOMES]
