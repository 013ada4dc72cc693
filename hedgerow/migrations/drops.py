"""Put the tables that a revision drops into an order in which they can be dropped, and made again.

Alembic lists them in any order, and before the keys of other tables that refer to them.
"""

from collections.abc import Sequence
from graphlib import CycleError, TopologicalSorter

from alembic.operations import MigrateOperation
from alembic.operations.ops import DropTableOp


def drops_last(operations: Sequence[MigrateOperation]) -> list[MigrateOperation]:
    """Return `operations` with what is about dropped tables at the end, children before parents.

    Tables that refer to each other have no such order: Alembic's is kept, and one of their keys has
    to be dropped by hand before them.
    """
    dropped = {_fullname(op): op for op in operations if isinstance(op, DropTableOp)}
    parents = {name: _parents(op) & dropped.keys() - {name} for name, op in dropped.items()}
    try:
        order = list(TopologicalSorter(dict(sorted(parents.items()))).static_order())
    except CycleError:
        return list(operations)
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
