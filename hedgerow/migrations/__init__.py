"""Row security in Alembic: operations for revisions, and the environment that runs them."""

from hedgerow.migrations import operations
from hedgerow.migrations.environment import run

__all__ = ["operations", "run"]
