"""The server's version."""

from typing import Final

from sqlalchemy import Connection, text

VERSION: Final = "current_setting('server_version_num')::int"
"""The version as PostgreSQL numbers it, such as 180006; SQL, for statements that ask for more."""

GRANT_OPTIONS_SINCE: Final = 160000
"""The version that lets each grant of a role say whether the member inherits it."""

LOGIN_TRIGGERS_SINCE: Final = 170000
"""The version that brought event triggers on login."""


def server_version(connection: Connection) -> int:
    """Return the server's version as PostgreSQL numbers it, such as 180006."""
    return int(connection.execute(text(f"SELECT {VERSION}")).scalar_one())
