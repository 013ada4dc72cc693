"""What `alembic` runs in a mini-project: its models, and the role names of this test alone."""

import os
import sys

import models  # type: ignore[import-not-found]
from sqlalchemy import create_engine

from hedgerow import HedgerowError, LoginPasswords, RoleNames, RowSecurity, migrations

try:
    migrations.run(
        create_engine(os.environ["DATABASE_URL"]),
        target_metadata=models.Base.metadata,
        row_security=RowSecurity(
            roles=RoleNames(
                app=os.environ["RLS_APP_USER"],
                admin=os.environ["RLS_ADMIN_ROLE"],
                read_only_admin=os.environ["RLS_READ_ONLY_ADMIN_ROLE"],
                maintenance=os.environ["RLS_MAINTENANCE_ADMIN"],
                sign_in=os.environ["RLS_SIGN_IN_ROLE"],
                anonymous=os.environ["RLS_ANONYMOUS_ROLE"],
                service=os.environ["RLS_SERVICE_ROLE"],
            ),
            audit=getattr(models, "AUDIT", None),
            id_type=getattr(models, "ID_TYPE", "uuid"),
            force=os.environ.get("RLS_FORCE") == "true",
        ),
        passwords=LoginPasswords(app="changethis", maintenance="changethis"),
        **getattr(models, "OPTIONS", {}),
    )
except HedgerowError as error:
    sys.exit(f"FAILED: {error}")
