"""Put the tables that a revision drops into an order in which they can be dropped, and made again.

Alembic lists them in any order, and before the keys of other tables that refer to them.
"""

from collections.abc import Sequence
from graphlib import TopologicalSorter

from alembic.operations import MigrateOperation
from alembic.operations.ops import DropTableOp


def drops_last(operations: Sequence[MigrateOperation]) -> list[MigrateOperation]:
    """Return `operations` with what is about dropped tables at the end, children before parents.

    Raises graphlib.CycleError for tables that refer to each other: those have no such order.
    """
    dropped = {_fullname(op): op for op in operations if isinstance(op, DropTableOp)}
    parents = {name: _parents(op) & dropped.keys() - {name} for name, op in dropped.items()}
    order = list(TopologicalSorter(dict(sorted(parents.items()))).static_order())
    others = [op for op in operations if _fullname(op) not in dropped]
    return [
        *others,
        *(op for name in reversed(order) for op in operations if _fullname(op) == name),
    ]


def _parents(operation: DropTableOp) -> set[str]:
    keys = operation.to_table().foreign_keys
    return {key.target_fullname.rpartition(".")[0] for key in keys}


def _fullname(operation: MigrateOperation) -> str | None:
    schema, name = (getattr(operation, word, None) for word in ("schema", "table_name"))
    return f"{schema}.{name}" if schema else name
