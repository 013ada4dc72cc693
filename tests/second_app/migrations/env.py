"""What `alembic` runs: as the owner, through Hedgerow's environment."""

import sys

from library.database import owner_engine  # type: ignore[import-not-found]
from library.models import Base  # type: ignore[import-not-found]
from library.security import passwords, row_security  # type: ignore[import-not-found]

from hedgerow import HedgerowError, migrations

try:
    migrations.run(
        owner_engine(),
        target_metadata=Base.metadata,
        row_security=row_security,
        passwords=passwords,
    )
except HedgerowError as error:
    sys.exit(f"FAILED: {error}")
