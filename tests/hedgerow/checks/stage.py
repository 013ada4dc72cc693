"""A database to plant faults in, and the ways in which a person fixes them."""

import shlex
from dataclasses import dataclass, field, replace

from sqlalchemy import MetaData, NullPool, create_engine, text
from sqlmodel import SQLModel

import app.models  # noqa: F401  (defines the tables)
from hedgerow import RoleNames, RowSecurity, Signing
from hedgerow.catalogs.server import LOGIN_TRIGGERS_SINCE
from hedgerow.checks import CHECKS
from hedgerow.checks.inspection import Inspection
from hedgerow.checks.model import Check
from hedgerow.checks.runner import Answer, run
from tests.hedgerow.checks.fault import Fault
from tests.support.databases import Database, run_alembic, server_version
from tests.support.raw import connect
from tests.support.sessions import ROW_SECURITY

DEFAULT_ROLES = RoleNames()


@dataclass
class Stage:
    """A good database, and the application's settings of the moment."""

    database: Database
    roles: RoleNames = DEFAULT_ROLES
    settings: dict[str, str] = field(default_factory=dict)
    autocommit: bool = False
    server_version: int | None = None
    lock_timeout: str = "10s"
    metadata: MetaData = SQLModel.metadata

    @property
    def row_security(self) -> RowSecurity:
        secret = self.settings.get("RLS_CONTEXT_SECRET")
        return replace(
            ROW_SECURITY,
            roles=self.roles,
            enabled=self.settings.get("RLS_ENABLED") != "false",
            force=self.settings.get("RLS_FORCE") == "true",
            signing=Signing(secret) if secret else None,
        )

    def name(self, template: str) -> str:
        """Return `template` with this stage's names in it."""
        return template.format(
            app=self.roles.app,
            admin=self.roles.admin,
            maintenance=self.roles.maintenance,
            database=self.database.name,
        )

    def answers(self, *checks: Check) -> tuple[Answer, ...]:
        """Run checks as the application and as the owner."""
        url = self.database.owner_url.set(username=self.roles.app, password="changethis")
        options = {"isolation_level": "AUTOCOMMIT"} if self.autocommit else {}
        engine = create_engine(url, poolclass=NullPool, **options)
        with engine.connect() as application, self.database.engine().connect() as owner:
            owner.execute(text(f"SET lock_timeout = '{self.lock_timeout}'"))
            owner.commit()
            inspection = Inspection(application, self.row_security, self.metadata, owner)
            if self.server_version is not None:
                # What cached_property keeps: no server of an older release is at hand.
                vars(inspection)["server_version"] = self.server_version
            return run(checks, inspection).answers

    def assert_good(self) -> None:
        """See that no check finds anything, or cannot tell."""
        records_logins = server_version(self.database.owner_url) >= LOGIN_TRIGGERS_SINCE
        checks = [check for check in CHECKS if records_logins or check.number != "H127"]
        answers = self.answers(*checks)
        assert [(a.check.number, a.findings, a.undetermined) for a in answers] == [
            (check.number, (), None) for check in checks
        ]

    def plant(self, fault: Fault) -> None:
        """Bring the fault about."""
        self.run_sql("; ".join(self.name(statement) for statement in fault.plant))
        self.settings |= fault.settings
        self.autocommit = fault.autocommit
        self.server_version = fault.server_version
        self.metadata = fault.models or self.metadata

    def fix(self, fix: str) -> None:
        """Do what a fix says, as it stands: SQL as the owner, or a command in the project."""
        if fix.endswith(";"):
            self.run_sql(fix)
            return
        program, *arguments = shlex.split(fix)
        assert program == "alembic"
        result = run_alembic(self.database, *arguments, settings=self.settings)
        assert result.returncode == 0, result.stdout + result.stderr

    def run_sql(self, statements: str) -> None:
        with connect(self.database.owner_url) as owner:
            owner.execute(statements)
            owner.commit()
