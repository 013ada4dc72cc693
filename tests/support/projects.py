"""What the commands need to know of a database that a test has filled: users go by their ids."""

from uuid import UUID

from sqlalchemy import MetaData

from hedgerow import Project, RowSecurity
from tests.support.databases import Database
from tests.support.sessions import ROW_SECURITY


def project_of(
    database: Database, metadata: MetaData, row_security: RowSecurity = ROW_SECURITY
) -> Project:
    """Return the project whose models are `metadata` and whose database this is."""
    return Project(
        row_security=row_security,
        metadata=metadata,
        application_url=lambda: database.app_url,
        owner_url=lambda: database.owner_url,
        find_user=lambda _, name: UUID(name),
    )
