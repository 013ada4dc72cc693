"""A session that changes its tenant and claims is never in another's, whatever ends in between.

Of a signed identity a wrong part is an error by itself; a plain one would be narrowed in silence.
"""

from collections.abc import Iterator
from uuid import uuid4

import pytest
from sqlalchemy import Connection, Engine, text
from sqlalchemy.orm import Session

import hedgerow
from hedgerow import AdminContext, Identity, IdentityError, Role, RowSecurity, guard
from tests.hedgerow.signing.support import PLAIN, SIGNED
from tests.support.databases import Database
from tests.support.sessions import one_connection

SAID = text(
    "SELECT rls.tenant_id(), current_setting('app.claims', true),"
    " CASE rls.role() WHEN 'user' THEN '' ELSE rls.role() END"
)
USER = uuid4()
AT_X = {"at": "x"}
WIDE, NARROW = Identity(USER), Identity(USER, tenant_id=1, claims=AT_X)


@pytest.fixture(params=[PLAIN, SIGNED], ids=["plain", "signed"])
def security(request: pytest.FixtureRequest) -> RowSecurity:
    """Return each way to carry an identity."""
    security: RowSecurity = request.param
    return security


@pytest.fixture
def engine(security: RowSecurity, database: Database, plain_database: Database) -> Iterator[Engine]:
    """Yield a guarded engine of one connection."""
    engine = one_connection(database if security.signing else plain_database)
    yield guard(engine, security)
    engine.dispose()


def said(target: Session | Connection) -> list[str]:
    """Return tenant, claims and an elevated role, as the database believes them; '' is none."""
    return [str(part or "") for part in target.execute(SAID).one()]


NOTHING = ["", "", ""]
BOTH = ["1", '{"at":"x"}', ""]


@pytest.mark.parametrize("commits", [True, False])
@pytest.mark.parametrize("joined", [True, False], ids=["connection", "session"])
def test_a_user_goes_from_tenant_to_tenant(
    commits: bool, joined: bool, engine: Engine, security: RowSecurity
) -> None:
    """P12: in a transaction that has begun, too, where no setting can be unset."""
    steps = {
        NARROW: BOTH,
        Identity(USER, tenant_id=2): ["2", "", ""],
        Identity(USER, claims=AT_X): ["", BOTH[1], ""],
        WIDE: NOTHING,
    }
    with engine.connect() if joined else Session(engine) as target:
        for _ in range(2):
            for identity, answer in steps.items():
                hedgerow.bind(target, identity, security)
                assert said(target) == answer
                if commits:
                    target.commit()
                    assert said(target) == answer
        with pytest.raises(IdentityError, match="another user"):
            hedgerow.bind(target, Identity(uuid4(), tenant_id=1), security)


def test_a_savepoint_that_is_rolled_back_brings_no_tenant_back(
    engine: Engine, security: RowSecurity
) -> None:
    """P14."""
    with Session(engine) as session:
        for identity, answer in ((NARROW, BOTH), (WIDE, NOTHING)):
            hedgerow.bind(session, identity, security)
            with session.begin_nested() as savepoint:
                assert said(session) == answer
                savepoint.rollback()
            assert said(session) == answer


@pytest.mark.parametrize("bound", [WIDE, NARROW], ids=["wide", "narrow"])
@pytest.mark.parametrize("own", [None, 3], ids=["the session's", "its own"])
@pytest.mark.parametrize("leaves", ["normally", "by an error", "from a savepoint"])
def test_an_admin_block_has_a_tenant_of_its_own_or_the_sessions(
    leaves: str, own: int | None, bound: Identity, engine: Engine, security: RowSecurity
) -> None:
    """P14, P21: and the session its own again, however the block ends."""
    block = type("Block", (AdminContext,), {"row_security": security})
    before = BOTH if bound is NARROW else NOTHING
    with Session(engine) as session:
        hedgerow.bind(session, bound, security)
        for begun in (False, True):
            if begun:
                assert said(session) == before
            try:
                with block(Identity(USER, Role.ADMIN, "a reason", tenant_id=own), session):
                    tenant = before[0] if own is None else str(own)
                    assert said(session) == [tenant, before[1], "admin"]
                    if leaves == "from a savepoint":
                        session.begin_nested()
                    if leaves == "by an error":
                        raise KeyError
            except KeyError:
                pass
            assert said(session) == before
            session.commit()
            assert said(session) == before
            session.commit()


def test_who_joins_a_transaction_is_not_in_its_tenant(
    engine: Engine, security: RowSecurity
) -> None:
    """P59."""
    with engine.connect() as outer:
        hedgerow.bind(outer, NARROW, security)
        assert said(outer) == BOTH
        with Session(outer, join_transaction_mode="create_savepoint") as session:
            hedgerow.bind(session, Identity(uuid4()), security)
            assert said(session) == NOTHING
        assert said(outer) == BOTH


def test_the_connections_next_user_is_in_no_tenant(engine: Engine, security: RowSecurity) -> None:
    """P11, P56: not even where SQL has left the tenant in the session."""
    left = text(
        "SELECT set_config(name, current_setting(name), false)"
        " FROM unnest(ARRAY['app.tenant_id', 'app.claims']) AS name"
    )
    with Session(engine) as first:
        hedgerow.bind(first, NARROW, security)
        first.execute(left)
        first.commit()
    with Session(engine) as second:
        hedgerow.bind(second, Identity(uuid4()), security)
        assert said(second) == NOTHING


def test_where_nobody_has_had_one_nothing_is_emptied(engine: Engine, security: RowSecurity) -> None:
    """A project without tenants sends what it sent before."""
    with Session(engine) as session:
        hedgerow.bind(session, WIDE, security)
        assert said(session) == NOTHING
        hedgerow.bind(session, Identity(USER, Role.ADMIN, "a reason"), security)
        sent = "SELECT current_setting(name, true) FROM unnest(CAST(:names AS text[])) AS name"
        names = ["app.tenant_id", "app.claims"]
        assert session.scalars(text(sent), {"names": names}).all() == [None, None]
