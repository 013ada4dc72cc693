"""The application's role may take the admin role, and may not hand it on."""

from sqlalchemy import text

from hedgerow import RowSecurity, sql
from hedgerow.provisioning.role_changes import pending_role_changes
from tests.support.deployments import Deployment


def test_a_membership_with_admin_option_is_fixed(own_deployment: Deployment) -> None:
    """P2: with it, injected SQL could give the admin role to any other login."""
    own_deployment.upgrade()
    roles = own_deployment.roles
    row_security = RowSecurity(roles=roles)
    grant = f"GRANT {sql.name(roles.admin)} TO {sql.name(roles.app)} WITH ADMIN OPTION"
    with own_deployment.database.as_owner() as owner:
        assert pending_role_changes(owner, row_security) == []
        owner.execute(text(grant))
        assert pending_role_changes(owner, row_security) != []
    own_deployment.upgrade()
    with own_deployment.database.as_owner() as owner:
        assert pending_role_changes(owner, row_security) == []
