"""What the official template added later: rows that were there before have no time."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("user", sa.Column("created_at", sa.DateTime(timezone=True)))
    op.add_column("item", sa.Column("created_at", sa.DateTime(timezone=True)))


def downgrade() -> None:
    op.drop_column("item", "created_at")
    op.drop_column("user", "created_at")
