"""audit trail

Revision ID: 4febd3900f63
Revises: 4f1c7d20a9b3
Create Date: 2026-11-23 16:00:00+00:00
"""

from alembic import op

revision: str = "4febd3900f63"
down_revision: str | tuple[str, ...] | None = "4f1c7d20a9b3"
branch_labels: str | tuple[str, ...] | None = None
depends_on: str | tuple[str, ...] | None = None


def upgrade() -> None:
    op.create_rls_audit()
    # The comparison goes into the sub-select, and so is made once a statement.
    for name in ("item_admin", "item_read_only_admin"):
        op.drop_rls_policy(name, "item")
    op.create_rls_policy(
        "item_admin",
        "item",
        command="ALL",
        roles=["rls_admin"],
        using="(SELECT rls.role() = 'admin')",
        with_check="(SELECT rls.role() = 'admin')",
    )
    op.create_rls_policy(
        "item_read_only_admin",
        "item",
        command="SELECT",
        roles=["rls_read_only_admin"],
        using="(SELECT rls.role() = 'read_only_admin')",
    )
    op.create_audit_trigger("item", key=["id"], owner="owner_id")
    op.create_rls_policy(
        "item_admin_insert_is_recorded",
        "item",
        command="INSERT",
        roles=["rls_admin"],
        with_check="(SELECT rls.record_write('item'::regclass, 'INSERT'))",
        permissive=False,
    )
    op.create_rls_policy(
        "item_admin_update_is_recorded",
        "item",
        command="UPDATE",
        roles=["rls_admin"],
        using="(SELECT rls.record_write('item'::regclass, 'UPDATE'))",
        with_check="true",
        permissive=False,
    )
    op.create_rls_policy(
        "item_admin_delete_is_recorded",
        "item",
        command="DELETE",
        roles=["rls_admin"],
        using="(SELECT rls.record_write('item'::regclass, 'DELETE'))",
        permissive=False,
    )
    op.create_audit_trigger("user", key=["id"], values=["is_active", "is_superuser"])


def downgrade() -> None:
    op.drop_audit_trigger("user")
    op.drop_rls_policy("item_admin_delete_is_recorded", "item")
    op.drop_rls_policy("item_admin_update_is_recorded", "item")
    op.drop_rls_policy("item_admin_insert_is_recorded", "item")
    op.drop_audit_trigger("item")
    for name in ("item_admin", "item_read_only_admin"):
        op.drop_rls_policy(name, "item")
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
    op.drop_rls_audit()
