"""What a planted fault is: done to a good database, and found by one check."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import MetaData


@dataclass(frozen=True)
class Fault:
    """What is done to a good database, or to what stands around it, and what the check then says.

    `plant` is SQL for the owner in which `{app}`, `{admin}`, `{maintenance}` and `{database}` stand
    for names. A fault with `own_roles` changes roles, which are the whole cluster's, and gets a
    deployment with names of its own. `settings` are the application's once the fault is there;
    `signed` has the database sign from the beginning. `by_hand` says that the fix is no command.
    `since` is the version of PostgreSQL that brought what the fault is about. `models` are those in
    the place of the application's.
    """

    check: str
    subject: str
    plant: tuple[str, ...] = ()
    own_roles: bool = False
    signed: bool = False
    settings: Mapping[str, str] = field(default_factory=dict)
    server_version: int | None = None
    autocommit: bool = False
    lost_secret: bool = False
    since: int = 0
    models: MetaData | None = None

    @property
    def by_hand(self) -> bool:
        return (
            self.server_version is not None
            or self.autocommit
            or self.lost_secret
            or self.models is not None
        )


@dataclass(frozen=True)
class DatabaseFault:
    """What is done to the database as its owner, in one text of SQL, and what the check then says.

    For databases of other models than the application's, with the default roles.
    """

    check: str
    subject: str
    plant: str
