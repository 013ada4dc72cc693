"""What Hedgerow is told: names of the database roles, type of the user key, secret, trail."""

import os

import hedgerow
from hedgerow import LoginPasswords

_prefix = os.environ.get("LIBRARY_ROLES", "library")

row_security = hedgerow.RowSecurity(
    roles=hedgerow.RoleNames.prefixed(_prefix),
    id_type="bigint",
    signing=hedgerow.Signing(os.environ["LIBRARY_SECRET"]),
    audit=hedgerow.Audit(),
    logger="library.identity",
)

passwords = LoginPasswords(
    app=os.environ["LIBRARY_APP_PASSWORD"],
    maintenance=os.environ["LIBRARY_MAINTENANCE_PASSWORD"],
)


class AdminContext(hedgerow.AdminContext):
    row_security = row_security
