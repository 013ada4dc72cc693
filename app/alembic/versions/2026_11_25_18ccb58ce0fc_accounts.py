"""accounts: a user sees their own, and nobody becomes a superuser by SQL

Revision ID: 18ccb58ce0fc
Revises: 4febd3900f63
Create Date: 2026-11-25 12:00:00+00:00
"""

from alembic import op

revision: str = "18ccb58ce0fc"
down_revision: str | tuple[str, ...] | None = "4febd3900f63"
branch_labels: str | tuple[str, ...] | None = None
depends_on: str | tuple[str, ...] | None = None


def upgrade() -> None:
    op.drop_audit_trigger("user")
    op.revoke_table("user", ["SELECT"], role="rls_admin")
    op.revoke_table("user", ["INSERT", "UPDATE"], role="rls_app_user")
    op.revoke_table("user", ["SELECT"], role="rls_read_only_admin")
    op.grant_table(
        "user",
        ["UPDATE (created_at)", "UPDATE (email)", "UPDATE (full_name)", "UPDATE (hashed_password)"],
        role="rls_app_user",
    )
    op.grant_table(
        "user",
        [
            "SELECT (created_at)",
            "SELECT (email)",
            "SELECT (full_name)",
            "SELECT (id)",
            "SELECT (is_active)",
            "SELECT (is_superuser)",
        ],
        role="rls_admin",
    )
    op.grant_table(
        "user",
        [
            "SELECT (created_at)",
            "SELECT (email)",
            "SELECT (full_name)",
            "SELECT (id)",
            "SELECT (is_active)",
            "SELECT (is_superuser)",
        ],
        role="rls_read_only_admin",
    )
    op.grant_table("user", ["SELECT", "INSERT"], role="rls_sign_in")
    op.grant_table("user", ["INSERT"], role="rls_service")
    op.grant_table("user", ["SELECT"], role="rls_maintenance_admin")
    op.enable_rls("user")
    op.create_rls_policy(
        "user_owner_select",
        "user",
        command="SELECT",
        roles=["rls_app_user"],
        using="id = (SELECT rls.user_id())",
    )
    op.create_rls_policy(
        "user_owner_update",
        "user",
        command="UPDATE",
        roles=["rls_app_user"],
        using="id = (SELECT rls.user_id())",
        with_check="id = (SELECT rls.user_id())",
    )
    op.create_rls_policy(
        "user_owner_delete",
        "user",
        command="DELETE",
        roles=["rls_app_user"],
        using="id = (SELECT rls.user_id())",
    )
    op.create_rls_policy(
        "user_sign_in_select",
        "user",
        command="SELECT",
        roles=["rls_sign_in"],
        using="email = (SELECT rls.sign_in())",
    )
    op.create_rls_policy(
        "user_sign_in_insert",
        "user",
        command="INSERT",
        roles=["rls_sign_in"],
        with_check="email = (SELECT rls.sign_in()) AND is_active = true AND is_superuser = false",
    )
    op.create_rls_policy(
        "user_service_insert",
        "user",
        command="INSERT",
        roles=["rls_service"],
        with_check="(SELECT rls.service() = ANY (ARRAY['first-superuser']))",
    )
    op.create_rls_policy(
        "user_admin",
        "user",
        command="ALL",
        roles=["rls_admin"],
        using="(SELECT rls.role() = 'admin')",
        with_check="(SELECT rls.role() = 'admin')",
    )
    op.create_rls_policy(
        "user_read_only_admin",
        "user",
        command="SELECT",
        roles=["rls_read_only_admin"],
        using="(SELECT rls.role() = 'read_only_admin')",
    )
    op.create_rls_policy(
        "user_admin_insert_is_recorded",
        "user",
        command="INSERT",
        roles=["rls_admin", "rls_service"],
        with_check="(SELECT rls.record_write('\"user\"'::regclass, 'INSERT'))",
        permissive=False,
    )
    op.create_rls_policy(
        "user_admin_update_is_recorded",
        "user",
        command="UPDATE",
        roles=["rls_admin", "rls_service"],
        using="(SELECT rls.record_write('\"user\"'::regclass, 'UPDATE'))",
        with_check="true",
        permissive=False,
    )
    op.create_rls_policy(
        "user_admin_delete_is_recorded",
        "user",
        command="DELETE",
        roles=["rls_admin", "rls_service"],
        using="(SELECT rls.record_write('\"user\"'::regclass, 'DELETE'))",
        permissive=False,
    )
    op.create_audit_trigger("user", key=["id"], owner="id", values=["is_active", "is_superuser"])
    # Anew, as services are recorded too.
    op.drop_audit_trigger("item")
    op.create_audit_trigger("item", key=["id"], owner="owner_id")


def downgrade() -> None:
    op.drop_audit_trigger("user")
    op.drop_rls_policy("user_admin_delete_is_recorded", "user")
    op.drop_rls_policy("user_admin_update_is_recorded", "user")
    op.drop_rls_policy("user_admin_insert_is_recorded", "user")
    op.drop_rls_policy("user_read_only_admin", "user")
    op.drop_rls_policy("user_admin", "user")
    op.drop_rls_policy("user_service_insert", "user")
    op.drop_rls_policy("user_sign_in_insert", "user")
    op.drop_rls_policy("user_sign_in_select", "user")
    op.drop_rls_policy("user_owner_delete", "user")
    op.drop_rls_policy("user_owner_update", "user")
    op.drop_rls_policy("user_owner_select", "user")
    op.disable_rls("user")
    op.revoke_table("user", ["SELECT"], role="rls_maintenance_admin")
    op.revoke_table("user", ["INSERT"], role="rls_service")
    op.revoke_table("user", ["SELECT", "INSERT"], role="rls_sign_in")
    op.revoke_table(
        "user",
        [
            "SELECT (created_at)",
            "SELECT (email)",
            "SELECT (full_name)",
            "SELECT (id)",
            "SELECT (is_active)",
            "SELECT (is_superuser)",
        ],
        role="rls_read_only_admin",
    )
    op.revoke_table(
        "user",
        [
            "SELECT (created_at)",
            "SELECT (email)",
            "SELECT (full_name)",
            "SELECT (id)",
            "SELECT (is_active)",
            "SELECT (is_superuser)",
        ],
        role="rls_admin",
    )
    op.revoke_table(
        "user",
        ["UPDATE (created_at)", "UPDATE (email)", "UPDATE (full_name)", "UPDATE (hashed_password)"],
        role="rls_app_user",
    )
    op.grant_table("user", ["SELECT"], role="rls_read_only_admin")
    op.grant_table("user", ["INSERT", "UPDATE"], role="rls_app_user")
    op.grant_table("user", ["SELECT"], role="rls_admin")
    op.create_audit_trigger("user", key=["id"], values=["is_active", "is_superuser"])
