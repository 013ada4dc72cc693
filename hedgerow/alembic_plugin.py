"""The Alembic plugin, which Alembic loads from the entry point group `alembic.plugins`.

Alembic does so in the middle of its own import, so nothing of it can be imported here yet.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from alembic.autogenerate.api import AutogenContext
    from alembic.operations.ops import UpgradeOps
    from alembic.runtime.plugins import Plugin
    from alembic.util import PriorityDispatchResult


def setup(plugin: "Plugin") -> None:
    """Have autogenerate compare row security, after everything else."""
    from alembic.util import DispatchPriority

    plugin.add_autogenerate_comparator(_compare, "autogenerate", priority=DispatchPriority.LAST)


def _compare(context: "AutogenContext", upgrade: "UpgradeOps") -> "PriorityDispatchResult":
    from hedgerow.migrations.autogenerate import compare_row_security

    return compare_row_security(context, upgrade)
