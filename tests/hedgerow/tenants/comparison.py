"""A database beside its model: what is done to one is done to the other, and both are compared."""

from collections.abc import Callable
from dataclasses import replace
from typing import ClassVar, cast
from uuid import UUID

import psycopg
from hypothesis import stateful
from sqlalchemy import Engine, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

import hedgerow
from hedgerow import Identity, RowSecurity
from tests.hedgerow.tenants import ways
from tests.hedgerow.tenants.draws import Draws
from tests.hedgerow.tenants.firm import Firm, empty
from tests.hedgerow.tenants.model import NO_CLAIM, REFUSED, Model, Outcome
from tests.hedgerow.tenants.rows import Key, Row, Who, key_of
from tests.hedgerow.tenants.ways import Way
from tests.support.databases import Database


class Comparison(stateful.RuleBasedStateMachine):
    """A database that the application uses, and the model of it."""

    database: ClassVar[Database]
    engine: ClassVar[Engine]
    firm: ClassVar[Firm]
    row_security: ClassVar[RowSecurity]
    co_members_are_seen: ClassVar[bool]

    def __init__(self) -> None:
        super().__init__()
        empty(self.database, self.firm)
        self.model = Model(self.co_members_are_seen, {name: {} for name in self.firm.tables})
        self.draws = Draws(self.model, self.firm, self.key)

    def teardown(self) -> None:
        """Compare all that is stored, also what nobody sees."""
        with self.database.as_owner() as owner:
            for name, table in self.firm.tables.items():
                stored = [dict(row) for row in owner.execute(select(table)).mappings()]
                assert {key_of(name, row): row for row in stored} == self.model.tables[name]

    def insert(self, who: Who, way: Way, table: str, row: Row, returning: bool) -> None:
        returning = returning and way != "orm"
        expected = self.model.insert(self.known(who), table, row, returning=returning)

        def act(session: Session) -> int:
            return ways.add(session, way, self.firm, table, row, returning=returning)

        self.expect(who, table, expected, act)

    def update(self, who: Who, way: Way, table: str, row: Row, column: str, value: object) -> None:
        known, values = self.known(who), {column: value}
        # The ORM reads a row before it writes.
        found = way != "orm" or self.model.sees(known, table, row)
        if column in self.kept(table) and found:
            expected: Outcome = REFUSED
        else:
            expected = self.model.update(known, table, [row], values, by_key=True)

        def act(session: Session) -> int:
            return ways.change(session, way, self.firm, table, key_of(table, row), values)

        self.expect(who, table, expected, act)

    def remove(self, who: Who, way: Way, table: str, row: Row) -> None:
        expected = self.model.delete(self.known(who), table, [row], by_key=True)

        def act(session: Session) -> int:
            return ways.remove(session, way, self.firm, table, key_of(table, row))

        self.expect(who, table, expected, act)

    def expect(
        self, who: Who, table: str, expected: Outcome, act: Callable[[Session], int]
    ) -> None:
        """Assert what comes of it, and that its user sees then what the model says."""
        known = self.known(who)
        outcome = self.run(self.identity(known), act)
        assert outcome == expected or self._lacks_claim(known, table, outcome)
        self.compare_rows(known, "core", table)
        self.compare_rows(known, "orm", "membership")

    def compare_rows(self, who: Who, way: Way, name: str) -> None:
        seen: list[Row] = []

        def act(session: Session) -> int:
            seen.extend(ways.read(session, way, self.firm, name))
            return len(seen)

        rows = self.model.tables[name]
        expected = {key: row for key, row in rows.items() if self.model.sees(who, name, row)}
        outcome = self.run(self.identity(who), act)
        assert outcome == len(expected) or self._lacks_claim(who, name, outcome)
        assert {key_of(name, row): row for row in seen} == expected

    def _lacks_claim(self, who: Who, table: str, outcome: Outcome) -> bool:
        """Whether a statement says that a claim is missing: as the plan has it, it may see none."""
        return outcome == NO_CLAIM and self.model.lacks_claim(who, table)

    def run(self, identity: Identity, act: Callable[[Session], int]) -> Outcome:
        with Session(self.engine, expire_on_commit=False) as session:
            hedgerow.bind(session, identity, self.row_security)
            try:
                if outcome := act(session):
                    session.commit()
            except DBAPIError as error:
                return str(cast("psycopg.Error", error.orig).sqlstate)
            return outcome

    def key(self, number: int) -> Key:
        """Return the key of a user, or of a tenant: both are UUIDs, or both are numbers."""
        return UUID(int=number) if self.row_security.id_type == "uuid" else number

    def known(self, who: Who) -> Who:
        """Return who asks with keys in place of numbers."""
        tenant = None if who.tenant is None else self.key(who.tenant)
        return replace(who, user=self.key(who.user), tenant=tenant)

    @staticmethod
    def identity(who: Who) -> Identity:
        return Identity(who.user, tenant_id=who.tenant, claims=who.claims)

    def membership(self, tenant: int, user: int, role: str) -> Row:
        return {"team_id": self.key(tenant), "user_id": self.key(user), "role": role}

    @staticmethod
    def kept(table: str) -> set[str]:
        """Return the columns that no user changes: who is a row's tenant, or a row's user."""
        if table == "team":
            return {"id"}
        return {"team_id"} | ({"user_id"} if table in ("membership", "profile") else set())
