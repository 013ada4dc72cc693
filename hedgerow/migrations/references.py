"""Alembic operations for what policies lean on: checked keys, and functions that tell of shares."""

from collections.abc import Iterable, Sequence
from dataclasses import KW_ONLY, dataclass
from typing import Self

from hedgerow.config.roles import RoleNames
from hedgerow.migrations.operation import RemovalOp, RowSecurityOp, operation
from hedgerow.policies.references import ReferenceCheck, drop_statements
from hedgerow.policies.shares import ShareFunction


@operation("create_reference_check")
@dataclass(frozen=True)
class CreateReferenceCheckOp(RowSecurityOp):
    """Have whoever writes `columns` see the row of the table `parent` that they refer to.

    `function` is made in schema `rls`. `constraint` is the foreign key whose error answers, and
    `deferrable` its "IMMEDIATE" or "DEFERRED". `tenant` are the columns of both tables whose tenant
    must be the same.
    """

    table_name: str
    columns: Sequence[str]
    parent: str
    parent_columns: Sequence[str]
    _: KW_ONLY
    constraint: str
    function: str
    parent_schema: str | None = None
    deferrable: str | None = None
    tenant: Sequence[str] | None = None
    schema: str | None = None

    @classmethod
    def of(cls, check: ReferenceCheck, table_name: str, schema: str | None) -> Self:
        """Return what creates `check` on a table."""
        return cls(
            table_name,
            check.columns,
            check.parent,
            check.parent_columns,
            constraint=check.constraint,
            function=check.function,
            parent_schema=check.parent_schema,
            deferrable=check.deferrable,
            tenant=check.tenant,
            schema=schema,
        )

    @property
    def check(self) -> ReferenceCheck:
        """What is checked."""
        return ReferenceCheck(
            tuple(self.columns),
            self.parent,
            tuple(self.parent_columns),
            constraint=self.constraint,
            function=self.function,
            parent_schema=self.parent_schema,
            deferrable=self.deferrable,
            tenant=(self.tenant[0], self.tenant[1]) if self.tenant else None,
        )

    def statements(self, roles: RoleNames) -> Iterable[str]:
        return self.check.create_statements(self.table_name, self.schema)

    def reverse(self) -> "DropReferenceCheckOp":
        return DropReferenceCheckOp(
            self.table_name,
            self.columns,
            function=self.function,
            schema=self.schema,
            _reverse=self,
        )


@operation("drop_reference_check")
@dataclass(frozen=True)
class DropReferenceCheckOp(RemovalOp):
    """Check `columns` no longer against what their writer sees."""

    goes_with_table = False  # the function stays

    table_name: str
    columns: Sequence[str]
    _: KW_ONLY
    function: str
    schema: str | None = None

    def statements(self, roles: RoleNames) -> Iterable[str]:
        return drop_statements(self.table_name, self.schema, self.columns, self.function)


@operation("create_share_function")
@dataclass(frozen=True)
class CreateShareFunctionOp(RowSecurityOp):
    """Make the function `rls.NAME(to_write)`, which returns the keys of what is shared with a user.

    The rows of `table_name` hold them: `key` is of the type `returns` and refers to the column
    `shared_key` of the shared table, `user` says with whom, `write` whether to write.
    """

    order = -1  # policies call it

    function_name: str
    table_name: str
    _: KW_ONLY
    key: str
    user: str
    write: str | None = None
    returns: str
    shared_key: str
    schema: str | None = None

    @classmethod
    def of(cls, shares: ShareFunction) -> Self:
        """Return what makes a function."""
        return cls(
            shares.name,
            shares.table,
            key=shares.key,
            user=shares.user,
            write=shares.write,
            returns=shares.returns,
            shared_key=shares.shared_key,
            schema=shares.schema,
        )

    def statements(self, roles: RoleNames) -> Iterable[str]:
        return ShareFunction(
            name=self.function_name,
            table=self.table_name,
            key=self.key,
            user=self.user,
            write=self.write,
            returns=self.returns,
            shared_key=self.shared_key,
            schema=self.schema,
        ).create_statements()

    def reverse(self) -> "DropShareFunctionOp":
        return DropShareFunctionOp(self.function_name, _reverse=self)


@operation("drop_share_function")
@dataclass(frozen=True)
class DropShareFunctionOp(RemovalOp):
    """Drop the function that tells what is shared with a user; no policy may call it any more."""

    order = 1
    goes_with_table = False

    function_name: str

    def statements(self, roles: RoleNames) -> Iterable[str]:
        return (ShareFunction(self.function_name, "", "", "", None, "", "").drop_statement(),)
