"""A trail that an older version has made goes on in the same chain, without a revision."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from hedgerow.audit.anchor import Anchor
from hedgerow.sql import Statement
from tests.hedgerow.audit.entries import entries
from tests.hedgerow.audit.support import check, rename, write_history
from tests.support.databases import Database, run_alembic
from tests.support.elevation import record_elevation
from tests.support.people import add_person
from tests.support.raw import connect
from tests.support.sessions import one_connection

BEFORE_TENANTS = (Path(__file__).parent / "before_tenants.sql").read_text(encoding="utf-8")
TENANT = "6f2d2f0a-1111-4c52-9a37-1d0c9f6e0b4c"

STORED = text("""
    SELECT pg_relation_filenode('rls.audit') AS rewritten, to_regclass('rls.audit_tenant_position'),
           (SELECT attnum FROM pg_attribute
            WHERE attrelid = 'rls.audit'::regclass AND attname = 'tenant')
""")


@pytest.fixture
def engine(fresh_database: Database) -> Iterator[Engine]:
    """Yield an engine whose one connection has cached the plans of the older functions."""
    engine = one_connection(fresh_database)
    yield engine
    engine.dispose()


def upgrade(database: Database) -> tuple[object, ...]:
    """Run the real `alembic upgrade head`; return how the entries are stored then."""
    result = run_alembic(database, "upgrade", "head")
    assert result.returncode == 0, result.stderr
    return stored(database)


def stored(database: Database) -> tuple[object, ...]:
    with database.as_owner() as owner:
        return tuple(owner.execute(STORED).one())


def test_entries_chained_before_tenants_verify_and_the_chain_goes_on(
    fresh_database: Database, engine: Engine
) -> None:
    database = fresh_database
    with database.as_owner() as owner:
        owner.execute(Statement(BEFORE_TENANTS))
    admin = add_person(database, "admin", items=0, superuser=True)
    alice = add_person(database, "alice")
    write_history(engine, admin, alice)
    before = stored(database)
    with database.as_owner() as owner:
        anchor = Anchor(*owner.execute(text("SELECT position, hash FROM rls.audit_head")).one())
    assert anchor.position == 8

    after = upgrade(database)
    assert after[0] == before[0]  # no entry was rewritten
    assert None not in after
    verification = check(database, anchor)
    assert (verification.faults, verification.newest) == ((), anchor)

    rename(engine, admin.id, alice.items[0])
    identity = {"app.user_id": str(admin.id), "app.role": "admin", "app.tenant_id": TENANT}
    with connect(database.app_url) as beside:
        record_elevation(beside, identity)
    assert [entry["tenant"] for entry in entries(database)] == [None] * 11 + [TENANT]
    verification = check(database, anchor)
    assert (verification.faults, verification.entries) == ((), 12)

    assert upgrade(database) == after
    assert run_alembic(database, "check").returncode == 0
