"""Measure one table: as a user with policies, and as its owner with an explicit WHERE."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import URL, ColumnElement, Connection, Select, Table, func, select
from sqlalchemy.exc import DBAPIError

from hedgerow import sql
from hedgerow.bench import questions
from hedgerow.bench.advice import advise, notes
from hedgerow.bench.by_hand import (
    Asker,
    asks_for_tenants,
    claims_of,
    owner_of,
    seen_by,
    tenant_column,
    tenants_of,
)
from hedgerow.bench.execution import (
    Finders,
    Variant,
    connect_read_only,
    plan_of,
    problem,
    ratio,
    take_turns,
    transaction,
)
from hedgerow.bench.questions import (
    OPERATIONS,
    Facts,
    Mine,
    Question,
    facts_of,
    order_after,
    typical_owner,
)
from hedgerow.bench.report import Limits, Operation, TableReport
from hedgerow.catalogs.privileges import may_read
from hedgerow.config.identity import Identity, UserId
from hedgerow.config.project import Project
from hedgerow.policies.scope import Scope
from hedgerow.sessions.bind import bind


class _SkipError(Exception):
    """A table cannot be measured; the message is a sentence that says why."""


class _MissingError(_SkipError):
    """The table does not exist."""


@dataclass(frozen=True)
class _Subject:
    """What is measured: a table as one of its users."""

    table: Table
    scope: Scope
    facts: Facts
    asker: Asker


@dataclass(frozen=True)
class TableBench:
    """Measures tables of one project; `url` is where the application role logs in."""

    project: Project
    url: URL
    owner: Connection
    limits: Limits
    progress: Callable[[str, int], None]

    def measure(self, table: Table, scope: Scope, user: UserId | None) -> TableReport:
        """Return the report of a table; what cannot be measured is said in it."""
        report = TableReport(table.fullname)
        self.progress(table.fullname, 0)
        try:
            with transaction(self.owner, self.limits, past_policies=False):
                facts = facts_of(self.owner, table)
            if facts is None:
                raise _MissingError("There is no such table: run `alembic upgrade head`.")
            report = replace(report, rows=facts.rows)
            user = self._resolve_user(table, facts, user)
            report = replace(report, user=str(user))
            return self._measure(report, _Subject(table, scope, facts, self._asker(table, user)))
        except _SkipError as error:
            self.progress(table.fullname, len(OPERATIONS))
            return replace(report, skipped=str(error), missing=isinstance(error, _MissingError))
        except DBAPIError as error:
            self.progress(table.fullname, len(OPERATIONS))
            return replace(report, skipped=f"Could not be measured: {problem(error, self.limits)}.")

    @contextmanager
    def _connect_as(self, asker: Asker, table: Table) -> Iterator[Connection]:
        """Yield a connection like that of the user's requests, never an admin's.

        Raises _SkipError where the application's role may not read the table.
        """
        with connect_read_only(self.url, "Run `alembic upgrade head`.") as connection:
            claims = {claim: str(value) for claim, value in asker.claims.items()}
            bind(connection, Identity(asker.user, claims=claims), self.project.row_security)
            with transaction(connection, self.limits, past_policies=False):
                readable = may_read(connection, sql.table_name(table.name, table.schema))
            if not readable:
                raise _SkipError(
                    f"{self.url.username!r} may not read this table: run `alembic upgrade head`."
                )
            yield connection

    def _resolve_user(self, table: Table, facts: Facts, user: UserId | None) -> UserId:
        """Return the user to measure as: `user` if one was named, else a typical owner.

        Of a child that is one of its parents.

        Raises _SkipError where there is none, or nothing to measure.
        """
        if facts.owner_is_filtered:
            if user is None:
                raise _SkipError(
                    "Policies filter the tables' owner too (RLS_FORCE), who cannot find a user:"
                    " name one with --user."
                )
            return user
        with transaction(self.owner, self.limits, past_policies=True):
            if not self.owner.scalar(select(select(table).exists())):
                raise _SkipError("The table is empty: there is nothing to measure.")
            if user is not None:
                return user
            if owner_of(table, table) is None:
                raise _SkipError("No column of the table names an owner: name a user with --user.")
            found = typical_owner(self.owner, facts, table)
        if found is None:
            raise _SkipError("No row has an owner: there is nothing to measure.")
        return found

    def _asker(self, table: Table, user: UserId) -> Asker:
        """Return the user with the claims that some row asks for: one of the user's, if any is."""
        claims = dict(claims_of(table, table))
        if not claims:
            return Asker(user)
        asked = select(*(value.label(claim) for claim, value in claims.items())).limit(1)
        owner = owner_of(table, table)
        if owner is not None:
            asked = asked.order_by((owner == user).desc().nulls_last())
        with transaction(self.owner, self.limits, past_policies=False):
            row = self.owner.execute(asked).mappings().first()
        return Asker(
            user, {name: value for name, value in (row or {}).items() if value is not None}
        )

    def _measure(self, report: TableReport, subject: _Subject) -> TableReport:
        table, facts, asker = subject.table, subject.facts, subject.asker
        by_hand = seen_by(table, asker)
        mine = Mine(by_hand, seen_by(table, asker, "join") if asks_for_tenants(table) else None)
        leading = subject.scope.owner_column or tenant_column(table)
        order = owned = None
        is_found = leading is not None and subject.scope.read != "everyone"
        if leading is not None and is_found:
            with transaction(self.owner, self.limits, past_policies=False):
                order = order_after(self.owner, facts, table, leading)
        operations = []
        with self._connect_as(asker, table) as connection:
            for question in self._questions(connection, table, mine, order):
                self.progress(f"{table.fullname}: {question.operation}", 0)
                operations.append(self._ask(connection, question, facts, finders_of(subject.scope)))
                self.progress(f"{table.fullname}: {question.operation}", 1)
            self.progress(table.fullname, len(OPERATIONS) - len(operations))
            if by_hand is not None:
                owned = self._number(self.owner, _count(table).where(by_hand), past_policies=True)
            seen = self._number(connection, _count(table), past_policies=False)
            tenants = self._tenants(subject)
        unordered = (owned or 0) // (tenants or 1) if order is None and is_found else 0
        return replace(
            report,
            user_rows=owned if subject.scope.read != "everyone" else None,
            tenants=tenants,
            operations=tuple(operations),
            notes=tuple(notes(table, operations, owned, seen, by_hand=by_hand is not None)),
            advice=tuple(advise(self.project, self.url, table, facts, unordered_rows=unordered)),
        )

    def _tenants(self, subject: _Subject) -> int | None:
        """Return in how many tenants the user may read, where rows are of tenants."""
        tenants = tenants_of(subject.table, subject.asker)
        if tenants is None:
            return None
        counted = select(func.count()).select_from(tenants.subquery())
        return self._number(self.owner, counted, past_policies=True)

    def _questions(
        self,
        connection: Connection,
        table: Table,
        mine: Mine,
        order: list[ColumnElement[Any]] | None,
    ) -> Iterator[Question]:
        yield questions.count(table, mine)
        key = table.primary_key.columns
        if order or key:
            yield questions.first_page(table, mine, order or list(key))
        values = self._any_key(connection, table, mine.by_hand) if key else None
        if values is None:
            return
        is_row = [column == value for column, value in zip(key, values, strict=True)]
        column = tenant_column(table)
        if column is not None and table.c[column] not in set(key):
            one = select(table.c[column]).where(*is_row).scalar_subquery()
            with transaction(self.owner, self.limits, past_policies=True):
                tenant = self.owner.scalar(select(one))
            of_one = table.c[column] == tenant
            yield questions.page_of_one(table, mine, order or list(key), of_one)
        yield questions.by_id(table, mine, values)

    def _any_key(
        self, connection: Connection, table: Table, mine: ColumnElement[bool] | None
    ) -> Sequence[Any] | None:
        """Return the key of a row of the user's; None where there is none, or it takes too long."""
        keys = select(*table.primary_key.columns).limit(1)
        ways = [(connection, keys, False)]
        if mine is not None:
            ways.insert(0, (self.owner, keys.where(mine), True))
        for asked, statement, past_policies in ways:
            try:
                with transaction(asked, self.limits, past_policies=past_policies):
                    row = asked.execute(statement).first()
            except DBAPIError as error:
                problem(error, self.limits)
                continue
            if row is not None:
                return tuple(row)
        return None

    def _ask(
        self, connection: Connection, question: Question, facts: Facts, finders: Finders
    ) -> Operation:
        policy = Variant(connection, question.plain, past_policies=False)
        by_hand, joined = (
            None if statement is None else Variant(self.owner, statement, past_policies=True)
            for statement in (question.by_hand, question.joined)
        )
        take_turns([one for one in (policy, by_hand, joined) if one is not None], self.limits)
        return Operation(
            question.operation,
            question.order,
            policy.timing(),
            by_hand.timing() if by_hand else None,
            ratio(policy, by_hand),
            joined.timing() if joined else None,
            ratio(policy, joined),
            plan_of(connection, question.plain, self.limits, facts, finders),
        )

    def _number(
        self, connection: Connection, statement: Select[Any], *, past_policies: bool
    ) -> int | None:
        try:
            with transaction(connection, self.limits, past_policies=past_policies):
                return int(connection.scalar(statement) or 0)
        except DBAPIError as error:
            problem(error, self.limits)
            return None


def finders_of(scope: Scope) -> Finders:
    """Return by which columns the rows of a user are found, in an index."""
    rows, members = scope.tenant_rows, scope.member_rows
    own = scope.also_owner.column if scope.also_owner else scope.owner_column
    in_tenant = [rows.column] if rows else [members.user, members.tenant] if members else []
    return {
        "owner index": [own] if own is not None else [],
        "tenant index": [column for column in in_tenant if column is not None],
    }


def _count(table: Table) -> Select[Any]:
    return select(func.count()).select_from(table)
