"""Remove old entries from the audit trail, and leave a chain that can be verified."""

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Connection, delete, func, insert, select, text

from hedgerow.audit.errors import AuditError
from hedgerow.audit.trail import Event, audit

SHORTEST = timedelta(days=1)
"""Entries younger than this stay, whatever is asked."""

_NONE_YOUNG = 2**63 - 1


@dataclass(frozen=True)
class Removal:
    """How many entries were removed, and the position of the newest one among them."""

    rows: int
    through: int


def remove_older_than(connection: Connection, limit: timedelta, *, reason: str) -> Removal | None:
    """Remove the beginning of the chain, up to the first entry that is younger than `limit`.

    `connection` is the owner's, and in no transaction. Returns None where nothing is that old.
    Raises AuditError for a limit below `SHORTEST`, and without a reason.

    Admins do not wait for it: deleted rows are not locked for inserts, and the entry that
    records this takes its place in the chain, and with it the lock on the head, as it commits.

    The trap: what is removed cannot be verified afterwards. Verify before.
    """
    if limit < SHORTEST:
        raise AuditError("Entries of the last 24 hours are not removed: give 1d or more.")
    if not reason.strip():
        raise AuditError("The audit trail records why entries were removed: give a reason.")
    with connection.begin():
        # A policy that filters the owner would have this record what it did not remove (P35).
        connection.execute(text("SET LOCAL row_security = off"))
        # Two removals wait for each other; transactions that write entries wait for neither.
        connection.execute(text("LOCK TABLE rls.audit IN SHARE UPDATE EXCLUSIVE MODE"))
        # One statement: an entry that is committed meanwhile must not be taken for an old one.
        first_young = select(func.min(audit.c.position)).where(audit.c.at >= func.now() - limit)
        newest_old = connection.execute(
            select(audit.c.position, audit.c.hash)
            .where(audit.c.position < func.coalesce(first_young.scalar_subquery(), _NONE_YOUNG))
            .order_by(audit.c.position.desc())
            .limit(1)
        ).one_or_none()
        if newest_old is None:
            return None
        through, link = newest_old
        rows = connection.execute(delete(audit).where(audit.c.position <= through)).rowcount
        connection.execute(
            insert(audit).values(
                event=Event.RETENTION,
                role="owner",
                reason=reason,
                changes={"through": through, "hash": link.hex(), "rows": rows},
            )
        )
        return Removal(rows, through)
