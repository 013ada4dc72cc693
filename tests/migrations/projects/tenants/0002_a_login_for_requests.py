"""Requests log in as crm_web: what they may is theirs alone, and no later role's."""

from alembic import op

revision = "0002"
down_revision = "0001"

TABLES = "organization, account, organization_member, project, task"
WITHOUT_POLICIES = ("organization", "account", "organization_member", "task")


def upgrade() -> None:
    op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {TABLES} TO crm_web")
    op.execute("GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO crm_web")
    op.execute("ALTER POLICY tenant_isolation ON project TO CURRENT_USER, crm_web")
    for table in WITHOUT_POLICIES:
        op.execute(f"CREATE POLICY old_version ON {table} TO crm_web USING (true)")


def downgrade() -> None:
    for table in WITHOUT_POLICIES:
        op.execute(f"DROP POLICY old_version ON {table}")
    op.execute("ALTER POLICY tenant_isolation ON project TO PUBLIC")
    op.execute("REVOKE USAGE ON ALL SEQUENCES IN SCHEMA public FROM crm_web")
    op.execute(f"REVOKE SELECT, INSERT, UPDATE, DELETE ON {TABLES} FROM crm_web")
