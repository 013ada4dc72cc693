"""The function that tells which rows of a table are shared with the asking user.

The shared table's policy asks it, and the share table's policy asks for the shared table. With a
sub-select in both places each would ask the other without end (P53), so the function reads the
shares with the owner's rights: those of the asking user, and nothing else.
"""

import json
from dataclasses import dataclass

from sqlalchemy import Table
from sqlalchemy.dialects import postgresql

from hedgerow import sql
from hedgerow.errors import ConfigurationError
from hedgerow.policies.keys import keys_of
from hedgerow.policies.policy import function_name
from hedgerow.policies.registry import scope_of
from hedgerow.policies.scope import Scope

PREFIX = "shares_of_"

NOTED = ("key", "user", "write", "returns", "shared_key")
"""What the function's comment says of it; its name and its table are in the catalog."""


@dataclass(frozen=True)
class ShareFunction:
    """Which rows are shared: `table` holds, for each `key` of a shared row, a `user`.

    `write` is the boolean column that lets that user change the row, or None. `returns` is the type
    of the key, `name` the function's, in schema `rls`, and `shared_key` the shared table's column.
    """

    name: str
    table: str
    key: str
    user: str
    write: str | None
    returns: str
    shared_key: str
    schema: str | None = None

    @property
    def signature(self) -> str:
        """The function with its schema and argument, as SQL."""
        return f"rls.{sql.name(self.name)}(boolean)"

    def holds(self, qualifier: str, *, to_write: bool) -> str:
        """Return the condition under which a row is shared with the asking user."""
        call = f"rls.{sql.name(self.name)}({str(to_write).lower()})"
        # Parentheses and type make it the array that ANY compares with, not a set of arrays.
        return f"{qualifier}{sql.name(self.shared_key)} = ANY ((SELECT {call})::{self.returns}[])"

    def is_table(self, table: Table) -> bool:
        """Whether `table` is the table of these shares."""
        return (table.schema, table.name) == (self.schema, self.table)

    def create_statements(self) -> tuple[str, ...]:
        """Return the SQL that makes the function, and notes in a comment from what it was made.

        Its body is parsed as it is created, so no search_path changes what it means (P7), and it
        follows a table that is renamed; so the comment does not name the table.
        """
        noted = {word: getattr(self, word) for word in NOTED}
        return (
            sql.fill(
                sql.read("hedgerow.policies", "shares.sql"),
                function=sql.name(self.name),
                returned_type=f"{self.returns}[]",
                key=sql.name(self.key),
                table=sql.table_name(self.table, self.schema),
                user=sql.name(self.user),
                may_write=f"share.{sql.name(self.write)}" if self.write else "false",
            ),
            f"COMMENT ON FUNCTION {self.signature} IS {sql.text_literal(json.dumps(noted))}",
        )

    def drop_statement(self) -> str:
        """Return the SQL that removes the function."""
        return f"DROP FUNCTION {self.signature}"


def share_function(table: Table, scope: Scope) -> ShareFunction | None:
    """Return the function of a table whose rows are shared, or None where they are not.

    Raises ConfigurationError where the table of shares, or a column of it, does not exist.
    """
    shares = scope.shares
    if shares is None:
        return None
    schema, _, name = shares.table.rpartition(".")
    holder = table.metadata.tables.get(shares.table)
    if holder is None and not schema and table.schema:
        holder = table.metadata.tables.get(f"{table.schema}.{name}")
    place = f"Table {table.fullname!r} is shared_with={shares.table!r}"
    if holder is None:
        raise ConfigurationError(
            f"{place}, which is not defined: name a table, and import the module of its model."
        )
    keys = [
        key
        for key in keys_of(holder)
        if key.parent is table and len(key.columns) == 1 and shares.key in (None, key.columns[0])
    ]
    if len(keys) != 1:
        raise ConfigurationError(
            f"{place}, which has {len(keys)} foreign keys to it: give it one of one column, or name"
            f' the one that is meant, as in Shares({shares.table!r}, key="item_id").'
        )
    if shares.user not in holder.columns:
        raise ConfigurationError(
            f"{place}, which has no column {shares.user!r} that names a user: name it, as in"
            f' Shares({shares.table!r}, user="reader_id").'
        )
    column = holder.columns[keys[0].columns[0]]
    return ShareFunction(
        name=function_name(PREFIX, table.schema, table.name, suffix="keys"),
        table=holder.name,
        schema=holder.schema,
        key=column.name,
        user=shares.user,
        write=shares.write if shares.write and shares.write in holder.columns else None,
        returns=str(column.type.compile(dialect=postgresql.dialect())),  # type: ignore[no-untyped-call]
        shared_key=keys[0].parent_columns[0],
    )


def shares_held_in(table: Table) -> tuple[ShareFunction, ...]:
    """Return what is shared by the rows of `table`: nothing, where it is not a table of shares."""
    declared = ((other, scope_of(other)) for other in table.metadata.tables.values())
    functions = (
        share_function(other, scope) for other, scope in declared if isinstance(scope, Scope)
    )
    return tuple(one for one in functions if one is not None and one.is_table(table))
