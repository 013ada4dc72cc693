"""What the trail holds, read by its owner."""

from collections.abc import Sequence

from sqlalchemy import RowMapping, select

from hedgerow.audit.trail import audit
from tests.support.databases import Database
from tests.support.people import Person


def entries(database: Database, **wanted: object) -> Sequence[RowMapping]:
    """Return the entries in which each column has the value wanted, oldest first."""
    query = select(audit).order_by(audit.c.id)
    for name, value in wanted.items():
        query = query.where(audit.c[name].is_not_distinct_from(value))
    with database.as_owner() as owner:
        return owner.execute(query).mappings().all()


def elevations(database: Database, person: Person) -> Sequence[RowMapping]:
    return entries(database, event="elevation", user_id=str(person.id))


def changes(database: Database, person: Person) -> Sequence[RowMapping]:
    return entries(database, event="change", user_id=str(person.id))
