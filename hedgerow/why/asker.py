"""Who asks about a row, and what for."""

from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Connection, Table

from hedgerow.config.identity import Identity
from hedgerow.config.row_security import RowSecurity

Need = Literal["see", "change", "insert", "delete"]

Fate = tuple[bool, str]
"""Whether the row may be reached as needed, and a clause that says why."""


@dataclass(frozen=True)
class Asker:
    """Who asks, on the owner's connection; `table` is the one that the question is about."""

    connection: Connection
    row_security: RowSecurity
    identity: Identity
    table: Table

    @property
    def user(self) -> str:
        """The user's key, as the server spells it."""
        return str(self.identity.user_id)
