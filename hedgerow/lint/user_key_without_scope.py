"""L102: a table refers to the table of users, but has no row security."""

from collections.abc import Iterator

from sqlalchemy import MetaData, Table

from hedgerow.findings import Finding, Level
from hedgerow.lint.model import Declarations, Rule
from hedgerow.lint.tables import finding, owner_columns, undecided_tables
from hedgerow.policies.scope import scoped_tables


def find(declarations: Declarations) -> Iterator[Finding]:
    """Find tables with a foreign key to where scoped tables have their owners.

    What points at a user is mostly about that user: a membership, a session, a comment.
    """
    users = _user_tables(declarations.metadata)
    names = owner_columns(declarations.metadata)
    for table in undecided_tables(declarations.metadata):
        if names & set(table.columns.keys()):
            continue  # L101 says it already
        for user in sorted(users & _referred_tables(table)):
            yield finding(table, f"has a foreign key to {user!r}")


def _user_tables(metadata: MetaData) -> set[str]:
    return {
        target
        for table, scope in scoped_tables(metadata)
        if scope.owner_column is not None
        for target in _referred_tables(table, scope.owner_column)
    }


def _referred_tables(table: Table, column: str | None = None) -> set[str]:
    """Return the tables that `table` refers to, also those that are not defined (yet)."""
    return {
        key.target_fullname.rpartition(".")[0]
        for key in table.foreign_keys
        if column is None or key.parent.name == column
    }


RULE = Rule("L102", Level.ERROR, "Reference to a user without scope", find)
