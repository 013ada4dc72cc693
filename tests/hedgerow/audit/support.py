"""Histories of the audit trail, written through the real path, and an owner who tampers."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import cache
from uuid import UUID, uuid4

from sqlalchemy import Connection, Engine, text
from sqlalchemy.orm import Session

import hedgerow
from app.core.rls import row_security
from hedgerow import Identity, Origin, Role
from hedgerow.audit.anchor import Anchor
from hedgerow.audit.retention import Removal, remove_older_than
from hedgerow.audit.schema import GENESIS, digest
from hedgerow.audit.verification import Verification, verify
from tests.support.databases import Database
from tests.support.people import Person

ORIGIN = Origin("GET", "/api/v1/admin/items/", "request-7")


def elevate(
    engine: Engine,
    admin: UUID,
    *,
    read_only: bool = False,
    reason: str | None = None,
    origin: Origin | None = None,
) -> None:
    """Be an admin once, and do nothing: one entry."""
    role = Role.READ_ONLY_ADMIN if read_only else Role.ADMIN
    with Session(engine) as session:
        hedgerow.bind(session, Identity(admin, role, reason, origin), row_security)
        session.execute(text("SELECT 1"))


def rename(engine: Engine, admin: UUID, item: UUID) -> None:
    """Change an item's title as an admin: an elevation, a statement, and a change."""
    with Session(engine) as session:
        hedgerow.bind(session, Identity(admin, Role.ADMIN), row_security)
        session.execute(
            text("UPDATE item SET title = :title WHERE id = :id"),
            {"title": str(uuid4()), "id": item},
        )
        session.commit()


def write_history(engine: Engine, admin: Person, person: Person) -> None:
    """Write eight entries: a look; twice an elevation, its statement, its change; an elevation."""
    elevate(engine, admin.id, read_only=True, reason="a look", origin=ORIGIN)
    rename(engine, admin.id, person.items[0])
    rename(engine, admin.id, person.items[1])
    elevate(engine, admin.id)


@cache
def _engine(database: Database) -> Engine:
    """Return one engine a database, without a pool: an engine asks the server first what it is."""
    return database.engine()


@contextmanager
def owner(database: Database) -> Iterator[Connection]:
    """Yield the owner's connection, in no transaction."""
    with _engine(database).connect() as connection:
        yield connection


def check(database: Database, anchor: Anchor | None = None) -> Verification:
    with owner(database) as connection:
        return verify(connection, anchor=anchor)


def faults(database: Database, anchor: Anchor | None = None) -> list[str]:
    return [fault.sentence for fault in check(database, anchor).faults]


def tamper(database: Database, statement: str) -> None:
    """Have the owner run a statement past every trigger."""
    with _engine(database).begin() as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        connection.execute(text(statement))


def keep(database: Database) -> None:
    """Keep the trail as it is now, so that `put_back` can bring it back."""
    tamper(
        database,
        "CREATE SCHEMA kept; CREATE TABLE kept.audit AS TABLE rls.audit;"
        " CREATE TABLE kept.audit_head AS TABLE rls.audit_head",
    )


def put_back(database: Database) -> None:
    tamper(
        database,
        "TRUNCATE rls.audit, rls.audit_head;"
        " INSERT INTO rls.audit OVERRIDING SYSTEM VALUE TABLE kept.audit;"
        " INSERT INTO rls.audit_head TABLE kept.audit_head",
    )


def empty(database: Database) -> None:
    """Make the trail as it is before the first admin."""
    tamper(
        database,
        f"TRUNCATE rls.audit; UPDATE rls.audit_head SET position = 0, hash = '{GENESIS}'",
    )


def ids(database: Database) -> dict[int, int]:
    """Return the id of the entry at each position."""
    with owner(database) as connection:
        rows = connection.execute(text("SELECT position, id FROM rls.audit")).all()
    return {row.position: row.id for row in rows}


def filter_reader(database: Database) -> None:
    """Show the role `pg_monitor` a part of the trail, as FORCE would an owner."""
    tamper(
        database,
        "CREATE POLICY part ON rls.audit FOR SELECT TO pg_monitor USING (position < 4);"
        " GRANT USAGE ON SCHEMA rls TO pg_monitor;"
        " GRANT SELECT ON rls.audit, rls.audit_head TO pg_monitor",
    )


def recompute(database: Database) -> None:
    """Have the owner write every link anew, from the oldest entry on, and the head."""
    tamper(
        database,
        f"""DO $$ DECLARE entry rls.audit; last_position bigint; last_hash bytea; BEGIN
        SELECT previous INTO last_hash FROM rls.audit
        WHERE position IS NOT NULL ORDER BY position LIMIT 1;
        FOR entry IN SELECT * FROM rls.audit WHERE position IS NOT NULL ORDER BY position LOOP
            entry.previous := last_hash;
            entry.hash := {digest("entry.")};
            UPDATE rls.audit SET previous = entry.previous, hash = entry.hash WHERE id = entry.id;
            last_position := entry.position;
            last_hash := entry.hash;
        END LOOP;
        UPDATE rls.audit_head SET position = last_position, hash = last_hash;
        END $$""",
    )


def age(database: Database, through: int, days: int = 400) -> None:
    """Make the entries up to a position old, as if they had been written then."""
    tamper(
        database,
        f"UPDATE rls.audit SET at = at - interval '{days} days' WHERE position <= {through}",
    )
    recompute(database)


def remove(database: Database, days: int = 365, reason: str = "kept for a year") -> Removal | None:
    with owner(database) as connection:
        return remove_older_than(connection, timedelta(days=days), reason=reason)
