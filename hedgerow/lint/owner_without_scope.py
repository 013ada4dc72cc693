"""L101: a table has an owner column, but no row security."""

from collections.abc import Iterator

from hedgerow.findings import Finding, Level
from hedgerow.lint.model import Declarations, Rule
from hedgerow.lint.tables import finding, owner_columns, undecided_tables


def find(declarations: Declarations) -> Iterator[Finding]:
    """Find tables with an owner column whose class is neither scoped nor exempt."""
    names = owner_columns(declarations.metadata)
    for table in undecided_tables(declarations.metadata):
        for column in sorted(names & set(table.columns.keys())):
            yield finding(table, f"has the column {column!r}")
            break


RULE = Rule("L101", Level.ERROR, "Owner without scope", find)
