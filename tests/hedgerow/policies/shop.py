"""The tables of tests about declarations."""

from uuid import UUID

import pytest
from sqlalchemy import Column, ForeignKey, MetaData, Table, Uuid

import hedgerow
from hedgerow import (
    ConfigurationError,
    Exempt,
    Scope,
    exempt,
)
from hedgerow.policies.declarations import check_declarations


class Shop:
    """Users, and items that each have one of them as the owner."""

    def __init__(self, items: Scope | Exempt | None = None) -> None:
        self.metadata = MetaData()
        self.users = self.table("user", Column("id", Uuid, primary_key=True))
        hedgerow.declare(self.users, exempt("signing in finds every account"))
        self.items = self.keyed("item", owner_id="user.id")
        hedgerow.declare(self.items, items or Scope("owner_id"))

    def table(self, name: str, *columns: Column[UUID]) -> Table:
        return Table(name, self.metadata, *columns)

    def keyed(self, name: str, **keys: str) -> Table:
        """Return a table with a primary key, and foreign keys by the names of their columns."""
        columns: list[Column[UUID]] = [
            Column(column, ForeignKey(target)) for column, target in keys.items()
        ]
        return self.table(name, Column("id", Uuid, primary_key=True), *columns)

    def refusal(self) -> str:
        with pytest.raises(ConfigurationError) as refused:
            check_declarations(self.metadata)
        return str(refused.value)
