"""What `alembic` runs: as the owner, through Hedgerow's environment."""

import sys
from logging.config import fileConfig

from alembic import context
from library.database import owner_engine  # type: ignore[import-not-found]
from library.models import Base  # type: ignore[import-not-found]
from library.security import passwords, row_security  # type: ignore[import-not-found]

from hedgerow import HedgerowError, migrations

if context.config.config_file_name is not None:
    fileConfig(context.config.config_file_name, disable_existing_loggers=False)

try:
    migrations.run(
        owner_engine(),
        target_metadata=Base.metadata,
        row_security=row_security,
        passwords=passwords,
    )
except HedgerowError as error:
    sys.exit(f"FAILED: {error}")
