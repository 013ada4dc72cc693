"""The one declaration of how a project uses row-level security."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

from hedgerow.config.audit import Audit
from hedgerow.config.identity import (
    ELEVATION_SETTING,
    ROLE_SETTING,
    SIGNATURE_SETTING,
    USER_ID_SETTING,
    Identity,
    Role,
)
from hedgerow.config.roles import RoleNames
from hedgerow.config.signing import Signing
from hedgerow.errors import ConfigurationError

IdType = Literal["uuid", "bigint", "text"]


@dataclass(frozen=True)
class RowSecurity:
    """How this project keeps users apart: role names, type of the user key, and two switches.

    `enabled=False` has migrations switch row security off: the application must check ownership by
    itself. Identities are sent all the same, for privileges and the audit trail. `force=True`
    subjects the tables' owner to the policies too and takes BYPASSRLS from the maintenance role.
    With `signing`, the database accepts only identities that carry the application's signature (P3,
    P4); without, SQL that runs as the application role can take any identity. With `audit`, each
    elevation to an admin or a service is recorded. `logger` names the logger that tells, at DEBUG,
    which identity each transaction got.
    """

    roles: RoleNames = field(default_factory=RoleNames)
    id_type: IdType = "uuid"
    enabled: bool = True
    force: bool = False
    signing: Signing | None = None
    audit: Audit | None = None
    logger: str = "hedgerow.identity"

    def __post_init__(self) -> None:
        if self.id_type not in get_args(IdType):
            raise ConfigurationError(
                f"id_type {self.id_type!r} is unknown: choose one of {', '.join(get_args(IdType))}."
            )

    @property
    def audited(self) -> bool:
        """Whether an elevation is to be recorded."""
        return self.audit is not None

    def settings_for(
        self, identity: Identity | None, elevation: str | None = None
    ) -> Mapping[str, str]:
        """Return the PostgreSQL settings that make a transaction `identity`'s.

        `elevation` is the entry of the audit trail that records an admin's.

        `role` comes last: the settings before it are made with the login role's rights. An empty
        string means no identity, because a setting cannot be unset inside a transaction (P12).
        Without an identity, a statement on a scoped table is an error. `CONTEXT_SETTINGS` are there
        only where the identity has them: another's are to be emptied in a transaction that is open.
        """
        settings: dict[str, str] = {
            # Off, a statement on a scoped table is an error, also where no row would be asked for
            # the identity: the table is empty, or another policy lets the row through (P16).
            "row_security": "on" if identity else "off",
            USER_ID_SETTING: str(identity.user_id) if identity else "",
            ROLE_SETTING: identity.role.claimed if identity else "",
        }
        if identity is not None:
            settings.update(identity.context)
        if self.signing is not None:
            settings[SIGNATURE_SETTING] = self.signing.sign(identity) if identity else ""
        if self.audit is not None:
            settings[ELEVATION_SETTING] = elevation or ""
        settings["role"] = self._role_to_set(identity)
        if identity is not None and identity.is_read_only:
            settings["transaction_read_only"] = "on"
        return settings

    def database_role(self, identity: Identity) -> str:
        """Return the database role in which `identity`'s transactions run."""
        match identity.role:
            case Role.USER:
                return self.roles.app
            case Role.ADMIN:
                return self.roles.admin
            case Role.READ_ONLY_ADMIN:
                return self.roles.read_only_admin
            case Role.MAINTENANCE:
                return self.roles.maintenance
            case Role.SIGN_IN:
                return self.roles.sign_in
            case Role.ANONYMOUS:
                return self.roles.anonymous
            case Role.SERVICE:
                return self.roles.service

    def _role_to_set(self, identity: Identity | None) -> str:
        """Return what SET ROLE takes; users and maintenance work in the role that logged in."""
        if identity is None or identity.role in (Role.USER, Role.MAINTENANCE):
            return "none"
        return self.database_role(identity)
