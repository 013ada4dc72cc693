"""`hedgerow check` through a pooler."""

import pytest
from sqlalchemy import NullPool, create_engine
from sqlmodel import SQLModel

import app.models  # noqa: F401  (defines the tables)
from hedgerow import DatabaseNotReadyError, RowSecurity
from hedgerow.checks import CHECKS
from hedgerow.checks.inspection import Inspection
from hedgerow.checks.readiness import verify
from hedgerow.checks.runner import Answer, run
from tests.pgbouncer.pgbouncer import PgBouncer, find_executable
from tests.support.databases import Database

WITHOUT_VERSION = [check for check in CHECKS if check.number != "H120"]


def answers(database: Database, row_security: RowSecurity, pooler: PgBouncer) -> list[Answer]:
    """Run the checks as the application through the pooler, and as the owner beside it."""
    engine = create_engine(
        pooler.through(database.app_url),
        poolclass=NullPool,
        connect_args={"prepare_threshold": None},
    )
    with engine.connect() as application, database.engine().connect() as owner:
        inspection = Inspection(application, row_security, SQLModel.metadata, owner)
        return [
            answer
            for answer in run(WITHOUT_VERSION, inspection).answers
            if answer.findings or answer.undetermined
        ]


def test_transaction_mode_is_good(
    database: Database, row_security: RowSecurity, pooler: PgBouncer
) -> None:
    assert answers(database, row_security, pooler) == []


def test_statement_mode_lets_nobody_in(database: Database, row_security: RowSecurity) -> None:
    """P11, P13: it refuses transactions, so neither the application nor the command can begin."""
    with PgBouncer(
        find_executable(), database.owner_url, database.app_url, "statement"
    ) as statement_mode:
        engine = database.engine(statement_mode.through(database.app_url))
        with pytest.raises(DatabaseNotReadyError, match="not allowed in statement pooling mode"):
            verify(engine, SQLModel.metadata, row_security)
