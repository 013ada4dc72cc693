"""Random histories of a project with tenants: each statement, and each look, as the model says.

People found tenants, are invited, change roles, leave and are removed; rows come, change and go; a
statement goes by the ORM, by Core or as text, in any tenant that its user names, or in none.

HEDGEROW_HISTORIES is how many there are, to run more of them by hand:

    HEDGEROW_HISTORIES=2000 scripts/test tests/hedgerow/tenants/test_histories.py -n 0 --timeout 0
"""

import os
from dataclasses import replace
from typing import Any

from hypothesis import settings, stateful
from hypothesis import strategies as st
from sqlalchemy import Engine, Select, delete, func, insert, select, update
from sqlalchemy.orm import Session

from hedgerow import Identity, RowSecurity
from tests.hedgerow.tenants import ways
from tests.hedgerow.tenants.comparison import Comparison
from tests.hedgerow.tenants.draws import CLAIMS, ROLE, TABLES, TENANTS, USERS, WAYS, WHO
from tests.hedgerow.tenants.firm import INVITATIONS, Firm
from tests.hedgerow.tenants.model import NO_SUCH_ROW, TAKEN, Outcome
from tests.hedgerow.tenants.rows import Who, key_of
from tests.hedgerow.tenants.ways import Way
from tests.support.databases import Database

HISTORIES = int(os.environ.get("HEDGEROW_HISTORIES", "15"))
STEPS = 25


class History(Comparison):
    """What people and a service do, one after the other."""

    @stateful.initialize(
        members=st.dictionaries(st.tuples(st.integers(1, 3), USERS), ROLE, min_size=3),
        data=st.data(),
    )
    def begin(self, members: dict[tuple[int, int], str], data: st.DataObject) -> None:
        """Have the owner of the tables store what was there before: any memberships and rows."""
        for number in (1, 2, 3):
            self.model.put("team", {"id": self.key(number)})
        for (tenant, user), role in members.items():
            self.model.put("membership", self.membership(tenant, user, role))
        for name in self.firm.tables:
            for _ in range(0 if name in ("team", "membership") else data.draw(st.integers(0, 3))):
                if (row := self.draws.row(data, name)) is not None:
                    ledger = self.model.tables["ledger"].get((row.get("ledger_id"),))
                    if ledger is not None and ledger["team_id"] != row["team_id"]:
                        row["ledger_id"] = None  # refused to the owner, too
                    self.model.put(name, row)
        with self.database.as_owner() as owner:
            for name, table in self.firm.tables.items():
                if rows := list(self.model.tables[name].values()):
                    owner.execute(insert(table), rows)

    @stateful.rule(who=WHO, way=WAYS, tenant=TENANTS, returning=st.booleans())
    def found(self, who: Who, way: Way, tenant: int, returning: bool) -> None:
        """Found a tenant, or try to found one that is there."""
        self.insert(who, way, "team", {"id": self.key(tenant)}, returning)

    @stateful.rule(tenant=TENANTS, user=USERS, role=ROLE, way=WAYS)
    def invite(self, tenant: int, user: int, role: str, way: Way) -> None:
        """Have the service make somebody a member."""
        row = self.membership(tenant, user, role)
        expected: Outcome = 1
        if key_of("membership", row) in self.model.tables["membership"]:
            expected = TAKEN
        elif (row["team_id"],) not in self.model.tables["team"]:
            expected = NO_SUCH_ROW
        else:
            self.model.put("membership", row)
        outcome = self.run(
            Identity.service(INVITATIONS),
            lambda session: ways.add(session, way, self.firm, "membership", row),
        )
        assert outcome == expected

    @stateful.rule(who=WHO, way=WAYS, table=TABLES, returning=st.booleans(), data=st.data())
    def write(self, who: Who, way: Way, table: str, returning: bool, data: st.DataObject) -> None:
        """Insert a row, whosever it would be."""
        if (row := self.draws.row(data, table)) is not None:
            self.insert(who, way, table, row, returning)

    @stateful.rule(who=WHO, way=WAYS, role=ROLE, data=st.data())
    def change_role(self, who: Who, way: Way, role: str, data: st.DataObject) -> None:
        """Change the role of a member, who is of the same tenant or the same person."""
        if (row := self.draws.stored(data, "membership")) is not None and row["role"] != role:
            members = self.model.tables["membership"].values()
            near = [int(one["user_id"]) for one in members if one["team_id"] == row["team_id"]]
            who = replace(who, user=data.draw(st.sampled_from(near)))
            self.update(who, way, "membership", row, "role", role)

    @stateful.rule(who=WHO, way=WAYS, data=st.data())
    def leave_or_remove(self, who: Who, way: Way, data: st.DataObject) -> None:
        if (row := self.draws.stored(data, "membership")) is not None:
            self.remove(who, way, "membership", row)

    @stateful.rule(who=WHO, way=WAYS, table=TABLES, data=st.data())
    def change(self, who: Who, way: Way, table: str, data: st.DataObject) -> None:
        """Change one column of one row, whosever it is."""
        if (row := self.draws.stored(data, table)) is None:
            return
        columns = set(row) - ({"id"} if table != "team" else set())
        column = data.draw(st.sampled_from(sorted(columns)))
        value = self.draws.value(data, table, column)
        if value is not None and row[column] != value:
            self.update(who, way, table, row, column, value)

    @stateful.rule(who=WHO, way=WAYS, table=TABLES, data=st.data())
    def delete(self, who: Who, way: Way, table: str, data: st.DataObject) -> None:
        if (row := self.draws.stored(data, table)) is not None:
            self.remove(who, way, table, row)

    @stateful.rule(who=WHO, table=TABLES, data=st.data())
    def change_all(self, who: Who, table: str, data: st.DataObject) -> None:
        """Change what one may, by a statement that reads no column."""
        column = "role" if table == "membership" else "title"
        values = {column: self.draws.value(data, table, column)}
        statement = update(self.firm.tables[table]).values(values)
        stored = list(self.model.tables[table].values())
        expected = self.model.update(self.known(who), table, stored, values, by_key=False)
        self.expect(who, table, expected, lambda session: _touched(session, statement))

    @stateful.rule(who=WHO, table=TABLES)
    def delete_all(self, who: Who, table: str) -> None:
        """Delete what one may, by a statement that reads no column."""
        statement = delete(self.firm.tables[table])
        stored = list(self.model.tables[table].values())
        expected = self.model.delete(self.known(who), table, stored, by_key=False)
        self.expect(who, table, expected, lambda session: _touched(session, statement))

    @stateful.rule(who=WHO, left=st.builds(Who, USERS, TENANTS, CLAIMS))
    def leave_settings(self, who: Who, left: Who) -> None:
        """Have an injected SELECT leave a tenant and claims on the connection for the next one."""
        context = {**self.identity(self.known(left)).context, "app.founded": str(self.key(1))}
        settings = (func.set_config(name, value, False) for name, value in context.items())
        self.run(self.identity(self.known(who)), lambda session: _left(session, select(*settings)))

    @stateful.rule(who=WHO, way=WAYS)
    def look(self, who: Who, way: Way) -> None:
        """Read all tables."""
        for name in self.firm.tables:
            self.compare_rows(self.known(who), way, name)


def _left(session: Session, statement: Select[Any]) -> int:
    return len(session.connection().execute(statement).all())


def _touched(session: Session, statement: Any) -> int:
    return int(session.connection().execute(statement).rowcount)


def compare(
    database: Database,
    engine: Engine,
    firm: Firm,
    row_security: RowSecurity,
    *,
    co_members_are_seen: bool,
) -> None:
    """Run histories on a database, as the application's role through `engine`."""
    scene = {
        "database": database,
        "engine": engine,
        "firm": firm,
        "row_security": row_security,
        "co_members_are_seen": co_members_are_seen,
    }
    machine = type("Machine", (History,), scene)
    stateful.run_state_machine_as_test(
        machine,
        settings=settings(max_examples=HISTORIES, stateful_step_count=STEPS, deadline=None),
    )
