"""Row security in Alembic: operations for revisions, and the environment that runs them."""

from hedgerow.migrations import audit, grants, operations, schemas
from hedgerow.migrations.environment import run

__all__ = ["audit", "grants", "operations", "run", "schemas"]
