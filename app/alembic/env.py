"""What `alembic` runs: the engine's environment with this application's models and settings."""

import sys
from logging.config import fileConfig

from alembic import context
from sqlalchemy.orm import configure_mappers
from sqlmodel import SQLModel

import app.models  # noqa: F401  (defines the tables)
from app.core.db import login_passwords, owner_engine
from app.core.rls import row_security
from hedgerow import HedgerowError, migrations

if context.config.config_file_name is not None:
    fileConfig(context.config.config_file_name, disable_existing_loggers=False)

configure_mappers()  # a relationship to a model that was never imported is an error, not nothing

try:
    migrations.run(
        owner_engine(),
        target_metadata=SQLModel.metadata,
        row_security=row_security,
        passwords=login_passwords(),
    )
except HedgerowError as error:
    sys.exit(f"FAILED: {error}")
