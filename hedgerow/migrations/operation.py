"""What an operation for row security is: one call in a revision, and the SQL that it runs.

A migration names roles by their default names; the deployment's own names take their place as the
migration runs (`RoleNames.deployed`), so one file serves every environment.
"""

import inspect
import textwrap
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, ClassVar, TypeVar

from alembic.autogenerate import renderers
from alembic.autogenerate.api import AutogenContext
from alembic.operations import MigrateOperation, Operations

from hedgerow import sql
from hedgerow.config.roles import RoleNames
from hedgerow.config.row_security import RowSecurity
from hedgerow.errors import MigrationError

ROW_SECURITY_OPTION = "row_security"
"""The key under which `context.configure` is given the project's RowSecurity."""

BEGINS_GROUP = "begins_group"
"""The key in `info` that says whether a revision shows an operation after a blank line."""

_LINE = 100 - len("    ")


@dataclass(frozen=True)
class RowSecurityOp(MigrateOperation):
    """An operation whose fields are the literal arguments of its call in a revision (P40).

    Its docstring documents the call. A field whose name begins with an underscore is no argument.
    """

    call: ClassVar[str]
    """The name of the operation on `alembic.op`; `operation` sets it."""

    before_tables: ClassVar[bool] = False
    """Whether a revision runs it before columns and tables change; otherwise it runs after them."""

    order: ClassVar[int] = 0
    """Lower ones run before higher ones, on the same side of the tables."""

    goes_with_table: ClassVar[bool] = True
    """Whether what it removes goes with its table, so that a revision need not say so."""

    def statements(self, roles: RoleNames) -> Iterable[str]:
        """Return what to run, with `roles` as this deployment names them."""
        raise NotImplementedError

    @classmethod
    def parameters(cls) -> tuple[inspect.Parameter, ...]:
        """Return the parameters of the call."""
        known = inspect.signature(cls).parameters.values()
        return tuple(parameter for parameter in known if not parameter.name.startswith("_"))

    def arguments(self) -> Iterator[tuple[str | None, Any]]:
        """Yield name (None where positional) and value of each argument that is no default."""
        for parameter in self.parameters():
            value = getattr(self, parameter.name)
            if value != parameter.default:
                is_named = parameter.kind is parameter.KEYWORD_ONLY
                literal = list(value) if isinstance(value, tuple) else value
                yield parameter.name if is_named else None, literal

    def to_diff_tuple(self) -> tuple[Any, ...]:
        """Return how `alembic check` shows this."""
        shown = (f"{name}={value!r}" if name else value for name, value in self.arguments())
        return (self.call, *shown)

    def turned_into(self, other: "type[_Op]") -> "_Op":
        """Return the operation `other` with the arguments of this one."""
        return other(
            **{parameter.name: getattr(self, parameter.name) for parameter in self.parameters()}
        )


@dataclass(frozen=True)
class RemovalOp(RowSecurityOp):
    """An operation that can be reversed only where autogenerate has read what it removes."""

    before_tables = True

    _reverse: RowSecurityOp | None = field(default=None, kw_only=True, repr=False)

    def reverse(self) -> MigrateOperation:
        if self._reverse is None:
            raise MigrationError(
                f"op.{self.call} does not say what it removes: write the way back yourself."
            )
        return self._reverse


_Op = TypeVar("_Op", bound=RowSecurityOp)


def operation(call: str) -> Callable[[type[_Op]], type[_Op]]:
    """Return what makes a class the operation `op.CALL`, with the class's fields as arguments."""

    def register(op: type[_Op]) -> type[_Op]:
        def invoke(cls: type[_Op], operations: Operations, *args: Any, **kwargs: Any) -> None:
            operations.invoke(cls(*args, **kwargs))

        invoke.__doc__ = op.__doc__
        op.call = call
        op.invoke = classmethod(invoke)  # type: ignore[attr-defined]
        Operations.register_operation(call, "invoke")(op)
        Operations.implementation_for(op)(_run)
        return op

    return register


def _run(operations: Operations, operation: RowSecurityOp) -> None:
    """Run an operation's statements, or print them in offline mode."""
    row_security = operations.get_context().opts.get(ROW_SECURITY_OPTION, RowSecurity())
    for statement in operation.statements(row_security.roles):
        operations.execute(sql.Statement(statement))


@renderers.dispatch_for(RowSecurityOp)
def render(context: AutogenContext, operation: RowSecurityOp) -> list[str]:
    """Return the call, on one line where it fits and one argument a line where it does not."""
    blank = [""] if operation.info.get(BEGINS_GROUP) else []
    arguments = [
        f"{name}={_literal(value, len(name) + 1)}" if name else repr(value)
        for name, value in operation.arguments()
    ]
    call = f"{context.opts.get('alembic_module_prefix') or ''}{operation.call}"
    line = f"{call}({', '.join(arguments)})"
    if len(line) <= _LINE:
        return [*blank, line]
    return [*blank, f"{call}(\n    " + ",\n    ".join(arguments) + ",\n)"]


def _literal(value: object, indent: int) -> str:
    """Return a value as it is written in Python, a long text as adjacent strings in parentheses."""
    line = repr(value)
    if not isinstance(value, str) or indent + len(line) < _LINE - len("    ,"):
        return line
    parts = textwrap.wrap(
        value, _LINE - 12, drop_whitespace=False, replace_whitespace=False, break_on_hyphens=False
    )
    return "(\n        " + "\n        ".join(map(repr, parts)) + "\n    )"
