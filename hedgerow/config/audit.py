"""What a project declares of its audit trail: whether there is one, and what it holds."""

from dataclasses import dataclass, field

from sqlalchemy import Table

from hedgerow.errors import ConfigurationError

_SECRETS = ("password", "passwd", "secret", "token", "hash")


@dataclass(frozen=True)
class Audit:
    """Leave a trace of every admin: each elevation, and each change that an admin makes.

    `reason_required` refuses an elevation that gives no reason. See docs/explanation/audit.md for
    what is recorded, and when.
    """

    reason_required: bool = False


@dataclass(frozen=True)
class Recorded:
    """Record what admins change in a table: which row, whose, and the names of the columns.

    `values` names the columns whose old and new values are recorded too: by default none, since
    all who may read the trail read them.
    """

    values: frozenset[str] = field(default_factory=frozenset)

    def check(self, table: Table) -> None:
        """Raise ConfigurationError for a column that does not exist, or that holds a secret."""
        for column in sorted(self.values):
            if column not in table.columns:
                raise ConfigurationError(
                    f"Table {table.name!r} has no column {column!r} whose values could be recorded."
                )
            if any(word in column.lower() for word in _SECRETS):
                raise ConfigurationError(
                    f"Values of {table.name}.{column} must not be recorded: its name says that it"
                    " holds a secret, and the audit trail is kept for long."
                )


@dataclass(frozen=True)
class AuditTrigger:
    """How a table's trigger records changes: the columns of key, owner, values and tenant."""

    key: tuple[str, ...]
    owner: str | None
    values: tuple[str, ...] = ()
    tenant: str | None = None
