"""Write the operations into a revision, as calls with literal arguments (P40)."""

from alembic.autogenerate import renderers
from alembic.autogenerate.api import AutogenContext

from hedgerow.migrations.operations import RowSecurityOp

_LINE = 100 - len("    ")


@renderers.dispatch_for(RowSecurityOp)
def render(context: AutogenContext, operation: RowSecurityOp) -> list[str]:
    """Return the call, on one line where it fits and one argument a line where it does not."""
    blank = [""] if operation.begins_group else []
    prefix = context.opts.get("alembic_module_prefix") or ""
    positional, named = operation.arguments()
    arguments = [repr(value) for value in positional]
    arguments += [f"{name}={value!r}" for name, value in named.items() if value is not None]
    line = f"{prefix}{operation.call}({', '.join(arguments)})"
    if len(line) <= _LINE:
        return [*blank, line]
    return [*blank, f"{prefix}{operation.call}(\n    " + ",\n    ".join(arguments) + ",\n)"]
