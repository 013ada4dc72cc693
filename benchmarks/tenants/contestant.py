"""A way to keep tenants apart that runs: its calls are timed, and every result is checked."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy import Connection, delete, text

import hedgerow
from benchmarks.database.contestant import Way
from benchmarks.database.operations import WrongRowsError
from benchmarks.database.plans import PlanShape, read_shape
from benchmarks.database.variants import (
    PLAIN,
    SIGNED,
    Place,
    Runner,
    as_owner,
    engine_for,
    sessions,
)
from benchmarks.tenants.operations import FOREIGN, OPERATIONS, Form, Operation
from benchmarks.tenants.schema import DOCUMENT, METADATA, Data
from hedgerow import Identity, LoginPasswords, RowSecurity, sql
from hedgerow.migrations.autogenerate import around_tables, differences
from hedgerow.provisioning import functions
from hedgerow.provisioning.keys import reconcile_functions
from hedgerow.provisioning.roles import ensure_roles

_BEGIN = text("SELECT 1")


@dataclass(frozen=True)
class Variant:
    """One way: by hand in a form of its own, or with the policies that `row_security` makes."""

    name: str
    description: str
    form: Form
    row_security: RowSecurity | None = None

    def set_up(self, place: Place) -> None:
        """Protect the tables, or let the application's role use them as they are."""
        with as_owner(place) as owner:
            ensure_roles(owner, PLAIN, LoginPasswords(PASSWORD, PASSWORD))
            if self.row_security is None:
                grant = f"GRANT ALL ON ALL TABLES IN SCHEMA public TO {sql.name(PLAIN.roles.app)}"
                owner.execute(sql.Statement(grant))
                return
            for statement in functions.create_statements():
                owner.execute(sql.Statement(statement))
            reconcile_functions(owner, self.row_security)
            needed = differences(owner, METADATA.tables.values(), self.row_security)
            before, after = around_tables(needed)
            for operation in (*before, *after):
                for statement in operation.statements(self.row_security.roles):
                    owner.execute(sql.Statement(statement))

    def start(self, place: Place) -> Runner:
        """Return what runs transactions of the user who asks."""
        engine = engine_for(place)
        if self.row_security is None:
            return sessions(engine)
        hedgerow.guard(engine, self.row_security)
        bind = partial(hedgerow.bind, identity=Identity(place.user), row_security=self.row_security)
        return sessions(engine, bind)


PASSWORD = "benchmark"  # noqa: S105

VARIANTS = (
    Variant("join", "no row security; JOIN membership by hand", "join"),
    Variant("array", "no row security; = ANY (ARRAY(SELECT …)) by hand", "array"),
    Variant("hedgerow plain", "Hedgerow, identity as it is", "policy", PLAIN),
    Variant("hedgerow signed", "Hedgerow, identity signed", "policy", SIGNED),
)


@dataclass(frozen=True)
class Contestant:
    """A variant that runs for one user, and the owner's connection that undoes what it adds."""

    variant: Variant
    runner: Runner
    data: Data
    owner: Connection

    @property
    def name(self) -> str:
        """The variant's name."""
        return self.variant.name

    def times(self, operation: Operation, way: Way, first: int, repeat: int) -> list[float]:
        """Run `repeat` calls from number `first` on in a transaction; return seconds each.

        Nothing is rolled back: psycopg would forget its prepared statements.
        """
        statement = text(operation.forms[self.variant.form])
        calls = [operation.parameters(self.data, n) for n in range(first, first + repeat)]
        expected = operation.expected(self.data)
        taken = []
        with self.runner.transaction() as session:
            session.execute(_BEGIN)  # a driver sends BEGIN with its first statement
            for parameters in calls:
                used = _used(operation.forms[self.variant.form], parameters)
                began = time.perf_counter()
                outcome = operation.outcome(session.execute(statement, used))  # type: ignore[arg-type]
                taken.append(time.perf_counter() - began)
                if outcome != expected:
                    raise WrongRowsError(f"{operation.name}: expected {expected}, got {outcome}")
        if operation.name == "insert":
            added = [parameters["id"] for parameters in calls]
            self.owner.execute(delete(DOCUMENT).where(DOCUMENT.c.id.in_(added)))
        return taken

    def try_out(self) -> None:
        """Raise WrongRowsError unless results are right and a policy keeps tenants apart."""
        for operation in OPERATIONS:
            self.times(operation, "statement", 0, 1)
        if self.variant.form != "policy":
            return
        with self.runner.transaction() as session:
            if session.execute(FOREIGN, {"id": self.data.foreign}).rowcount:  # type: ignore[attr-defined]
                raise WrongRowsError("another tenant's row is changed")

    def plans(self) -> list[PlanShape]:
        """Run the statements under EXPLAIN ANALYZE, undo them, and return their shapes."""
        return [self._plan(operation) for operation in OPERATIONS]

    def _plan(self, operation: Operation) -> PlanShape:
        form = operation.forms[self.variant.form]
        parameters = operation.parameters(self.data, 0)
        explain = text(f"EXPLAIN (ANALYZE, FORMAT JSON) {form}")
        with self.runner.transaction() as session:
            savepoint = session.begin_nested()
            plan = session.execute(explain, _used(form, parameters)).scalar_one()
            savepoint.rollback()
        return read_shape(operation.name, plan[0]["Plan"], "team_id = ")


def _used(form: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters that a form has a place for."""
    return {name: value for name, value in parameters.items() if f":{name}" in form}
