"""users and items

Revision ID: 4f1c7d20a9b3
Revises:
Create Date: 2026-11-23 12:00:00+00:00
"""

import sqlalchemy as sa
import sqlmodel.sql.sqltypes
from alembic import op

revision: str = "4f1c7d20a9b3"
down_revision: str | tuple[str, ...] | None = None
branch_labels: str | tuple[str, ...] | None = None
depends_on: str | tuple[str, ...] | None = None


def upgrade() -> None:
    op.create_rls_functions(id_type="uuid")

    op.create_table(
        "user",
        sa.Column("email", sqlmodel.sql.sqltypes.AutoString(length=255), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("is_superuser", sa.Boolean(), nullable=False),
        sa.Column("full_name", sqlmodel.sql.sqltypes.AutoString(length=255), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("hashed_password", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_user_email", "user", ["email"], unique=True)
    op.grant_table("user", ["SELECT", "INSERT", "UPDATE", "DELETE"], role="rls_app_user")
    op.grant_table("user", ["SELECT", "INSERT", "UPDATE", "DELETE"], role="rls_admin")
    op.grant_table("user", ["SELECT"], role="rls_read_only_admin")

    op.create_table(
        "item",
        sa.Column("title", sqlmodel.sql.sqltypes.AutoString(length=255), nullable=False),
        sa.Column("description", sqlmodel.sql.sqltypes.AutoString(length=255), nullable=True),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["owner_id"], ["user.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_item_owner_id", "item", ["owner_id"], unique=False)
    op.create_index(
        "ix_item_owner_id_created_at_id",
        "item",
        ["owner_id", sa.literal_column("created_at DESC"), sa.literal_column("id DESC")],
        unique=False,
    )
    op.grant_table("item", ["SELECT", "INSERT", "UPDATE", "DELETE"], role="rls_app_user")
    op.grant_table("item", ["SELECT", "INSERT", "UPDATE", "DELETE"], role="rls_admin")
    op.grant_table("item", ["SELECT"], role="rls_read_only_admin")
    op.enable_rls("item")
    op.create_rls_policy(
        "item_owner_select",
        "item",
        command="SELECT",
        roles=["rls_app_user"],
        using="owner_id = (SELECT rls.user_id())",
    )
    op.create_rls_policy(
        "item_owner_insert",
        "item",
        command="INSERT",
        roles=["rls_app_user"],
        with_check="owner_id = (SELECT rls.user_id())",
    )
    op.create_rls_policy(
        "item_owner_update",
        "item",
        command="UPDATE",
        roles=["rls_app_user"],
        using="owner_id = (SELECT rls.user_id())",
        with_check="owner_id = (SELECT rls.user_id())",
    )
    op.create_rls_policy(
        "item_owner_delete",
        "item",
        command="DELETE",
        roles=["rls_app_user"],
        using="owner_id = (SELECT rls.user_id())",
    )
    op.create_rls_policy(
        "item_admin",
        "item",
        command="ALL",
        roles=["rls_admin"],
        using="(SELECT rls.role()) = 'admin'",
        with_check="(SELECT rls.role()) = 'admin'",
    )
    op.create_rls_policy(
        "item_read_only_admin",
        "item",
        command="SELECT",
        roles=["rls_read_only_admin"],
        using="(SELECT rls.role()) = 'read_only_admin'",
    )


def downgrade() -> None:
    op.drop_table("item")
    op.drop_table("user")
    op.drop_rls_functions(id_type="uuid")
