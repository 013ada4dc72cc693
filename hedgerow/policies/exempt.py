"""What a model declares whose table needs no row security."""

from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from types import MappingProxyType

from hedgerow.config.audit import Recorded
from hedgerow.errors import ConfigurationError
from hedgerow.policies.options import (
    RowCommand,
    check_commands,
    check_public,
    check_services,
)


@dataclass(frozen=True)
class Exempt:
    """A table without row security, the reason why that is right, and what the application may do.

    With `recorded` the audit trail holds what admins change in it all the same.
    """

    reason: str
    commands: Set[RowCommand] = frozenset({"SELECT"})
    recorded: Recorded | None = None
    public: bool = False
    services: Mapping[str, Set[RowCommand]] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        if not self.reason.strip():
            raise ConfigurationError("An exemption from row security needs a reason: say why.")
        check_commands(self.commands)
        check_services(self.services)
        if not isinstance(self.public, bool):
            raise ConfigurationError(
                "exempt(public=…) takes True: without row security all rows are alike. Declare"
                f" Scope(None, public={self.public!r}) for some of them."
            )
        check_public(self.public, self.commands)


def exempt(
    reason: str,
    *,
    commands: Set[RowCommand] = frozenset({"SELECT"}),
    recorded: Recorded | None = None,
    public: bool = False,
    services: Mapping[str, Set[RowCommand]] = MappingProxyType({}),
) -> Exempt:
    """Return the `__rls__` of a class whose table needs no row security, for the given reason.

    Users may only read it, unless `commands` names more. With `public` so does
    `Identity.anonymous()`; `services` names the jobs that may use it, each with its commands.

    The trap: without row security nothing asks for a service's name. What one service may, each
    may; and so may SQL in any transaction of the application's that takes the services' database
    role. What is not for everybody is a `Scope(None, services=…)`.
    """
    return Exempt(reason, commands, recorded, public, services)
