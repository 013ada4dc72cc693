"""The ways to keep users apart that are measured side by side, but for the published packages."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import URL, Connection, Engine, NullPool, create_engine, text
from sqlalchemy.orm import Session

import hedgerow
from benchmarks.database.schema import ITEM, Base
from hedgerow import Identity, LoginPasswords, RoleNames, RowSecurity, Signing, sql
from hedgerow.policies.policy import Policy, create_policy_statement
from hedgerow.policies.wanted import declared_protection
from hedgerow.provisioning import functions
from hedgerow.provisioning.keys import reconcile_functions
from hedgerow.provisioning.roles import ensure_roles

PASSWORD = "benchmark"  # noqa: S105
PLAIN = RowSecurity()
SIGNED = RowSecurity(signing=Signing("the secret of this benchmark"))
_APP = RoleNames.app


class CannotRunError(Exception):
    """A variant cannot be measured here; the message is a sentence that says why."""


@dataclass(frozen=True)
class Place:
    """A variant's own database, as its owner and as the application's role, and who asks."""

    owner_url: URL
    user: UUID

    @property
    def app_url(self) -> URL:
        return self.owner_url.set(username=_APP, password=PASSWORD)


@dataclass(frozen=True)
class Runner:
    """A variant at work: `transaction()` yields a session in a transaction of the user's.

    Leaving the block commits and gives the connection back; leaving it by an exception rolls back.
    """

    transaction: Callable[[], AbstractContextManager[Session]]
    engine: Engine


@dataclass(frozen=True)
class Variant:
    """One way: how its database is set up, and how an application that uses it begins.

    `hand_written` statements carry `WHERE owner_id = ...`. `package` is the version of a published
    package, which is left out where it fails.
    """

    name: str
    description: str
    set_up: Callable[[Place], None]
    start: Callable[[Place], Runner]
    hand_written: bool = False
    package: str | None = None

    @property
    def database(self) -> str:
        return self.name.replace(" ", "_")


@contextmanager
def as_owner(place: Place) -> Iterator[Connection]:
    """Yield the owner's connection in a transaction."""
    with create_engine(place.owner_url, poolclass=NullPool).begin() as connection:
        yield connection


def make_usable(owner_url: URL) -> None:
    """Let the application's role log in and use both tables; copies of the database keep that."""
    with create_engine(owner_url, poolclass=NullPool).begin() as connection:
        ensure_roles(connection, PLAIN, LoginPasswords(PASSWORD, PASSWORD))
        for table in Base.metadata.sorted_tables:
            for role, privileges in declared_protection(table, PLAIN).grants.items():
                target = sql.table_name(table.name, table.schema)
                grant = f"GRANT {', '.join(privileges)} ON {target} TO {sql.name(role)}"
                connection.execute(sql.Statement(grant))


def enable(connection: Connection, policies: Iterable[Policy]) -> None:
    """Switch row security on for the items, with these policies."""
    connection.execute(sql.Statement("ALTER TABLE item ENABLE ROW LEVEL SECURITY"))
    for policy in policies:
        statement = create_policy_statement(policy, ITEM.name, None, PLAIN.roles)
        connection.execute(sql.Statement(statement))


def engine_for(place: Place, **options: Any) -> Engine:
    """Return an engine of the application's role, with one connection that it keeps."""
    return create_engine(place.app_url, pool_size=1, max_overflow=0, **options)


def sessions(engine: Engine, prepare: Callable[[Session], object] = lambda _: None) -> Runner:
    """Return a runner whose sessions are prepared before their first statement."""

    @contextmanager
    def transaction() -> Iterator[Session]:
        with Session(engine) as session:
            prepare(session)
            yield session
            session.commit()

    return Runner(transaction, engine)


def _set_up_hedgerow(row_security: RowSecurity, place: Place) -> None:
    with as_owner(place) as connection:
        for statement in functions.create_statements():
            connection.execute(sql.Statement(statement))
        reconcile_functions(connection, row_security)
        enable(connection, declared_protection(ITEM, row_security).policies.values())


def _start_hedgerow(row_security: RowSecurity, place: Place) -> Runner:
    engine = hedgerow.guard(engine_for(place), row_security)  # as the template has it
    identity = Identity(place.user)
    return sessions(engine, lambda session: hedgerow.bind(session, identity, row_security))


_BARE = (
    "owner_id = nullif(current_setting('app.user_id', true), '')::uuid"
    " OR current_setting('app.role', true) = 'admin'"
)
_WRAPPED = (
    "owner_id = (SELECT nullif(current_setting('app.user_id', true), '')::uuid)"
    " OR (SELECT current_setting('app.role', true) = 'admin')"
)


def _set_up_or(condition: str, place: Place) -> None:
    with as_owner(place) as connection:
        enable(connection, [Policy("item_owner_or_admin", "ALL", using=condition)])


_SET_BOTH = text(
    "SELECT set_config('app.user_id', :user, true), set_config('app.role', 'user', true)"
)


def _start_or(place: Place) -> Runner:
    values = {"user": str(place.user)}
    return sessions(engine_for(place), lambda session: session.execute(_SET_BOTH, values))


_BY_HAND = "no row security; WHERE owner_id = ... by hand"
_AGAIN = "the floor a second time, in a database of its own: what differs is noise"
_OR = "one policy, settings read bare; the settings as a statement of their own"
_WRAPPED_OR = "the same with each setting in a sub-select"

FLOOR, CONTROL = (
    Variant(name, what, lambda _: None, lambda to: sessions(engine_for(to)), hand_written=True)
    for name, what in (("floor", _BY_HAND), ("floor again", _AGAIN))
)
HEDGEROW_PLAIN, HEDGEROW_SIGNED = (
    Variant(name, description, partial(_set_up_hedgerow, one), partial(_start_hedgerow, one))
    for name, description, one in (
        ("hedgerow plain", "Hedgerow, identity as it is", PLAIN),
        ("hedgerow signed", "Hedgerow, identity signed", SIGNED),
    )
)
OR_BARE = Variant("owner OR admin setting", _OR, partial(_set_up_or, _BARE), _start_or)
OR_WRAPPED = Variant(
    "owner OR admin setting, wrapped", _WRAPPED_OR, partial(_set_up_or, _WRAPPED), _start_or
)

ESSENTIAL = (FLOOR, CONTROL, HEDGEROW_PLAIN, HEDGEROW_SIGNED)
"""What the goals are about."""

OWN = (*ESSENTIAL, OR_BARE, OR_WRAPPED)
"""All variants that need nothing but Hedgerow."""
