"""L103: a route uses a scoped table through a session without an identity."""

from collections.abc import Iterator

from sqlalchemy import Table

from hedgerow.findings import Finding, Level, location_of
from hedgerow.lint.model import Declarations, Route, Rule
from hedgerow.lint.references import references
from hedgerow.policies.registry import scoped_tables
from hedgerow.sessions.bind import bind, bind_async
from hedgerow.sessions.elevation import AdminContext


def find(declarations: Declarations) -> Iterator[Finding]:
    """Find routes whose code refers to a scoped class, where nothing binds an identity.

    Both are looked for in the route's function, its dependencies, and the project's functions that
    these call.
    """
    scoped = {table for table, _ in scoped_tables(declarations.metadata)}
    for route in declarations.routes or ():
        touched = set()
        binds = False
        for function in (route.endpoint, *route.dependencies):
            for referred in references(function):
                binds = binds or _binds_an_identity(referred)
                touched |= scoped & {_table_of(referred)}
        if touched and not binds:
            yield _finding(route, sorted(table.fullname for table in touched))


def _binds_an_identity(referred: object) -> bool:
    if isinstance(referred, type):
        return issubclass(referred, AdminContext)
    return referred is bind or referred is bind_async


def _table_of(referred: object) -> object:
    table = getattr(referred, "__table__", None) if isinstance(referred, type) else referred
    return table if isinstance(table, Table) else None


def _finding(route: Route, tables: list[str]) -> Finding:
    return Finding(
        subject=route.name,
        sentence=f"{route.name} uses {', '.join(map(repr, tables))} through a session"
        " without an identity: PostgreSQL refuses each such query, and with RLS_ENABLED=false it"
        " answers with the rows of all users.",
        fix="take RLSSessionDep instead of SessionDep (elsewhere: a session from a dependency"
        " that calls hedgerow.bind)",
        location=location_of(route.endpoint),
    )


RULE = Rule("L103", Level.WARNING, "Route without an identity", find, routes=True)
