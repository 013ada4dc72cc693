"""L101: a table does not say whose rows it holds."""

from collections.abc import Iterator

from hedgerow.findings import Finding, Level, location_of
from hedgerow.lint.model import Declarations, Rule
from hedgerow.policies.declarations import undeclared_tables
from hedgerow.policies.likely import likely_declarations
from hedgerow.policies.registry import mapped_class


def find(declarations: Declarations) -> Iterator[Finding]:
    """Find tables without `__rls__`: requests get no privilege on them."""
    for table in undeclared_tables(declarations.metadata.tables.values()):
        owner = mapped_class(table)
        subject = f"{owner.__name__} (table {table.fullname!r})" if owner else repr(table.fullname)
        likely = ", or ".join(likely_declarations(table))
        yield Finding(
            subject=table.fullname,
            sentence=f"{subject} does not say whose rows it holds, so requests get no privilege.",
            fix=f"give the class {likely}"
            if owner
            else f"call hedgerow.declare(table, …) with what would be {likely}",
            location=location_of(owner) if owner else None,
        )


RULE = Rule("L101", Level.ERROR, "Undeclared table", find)
