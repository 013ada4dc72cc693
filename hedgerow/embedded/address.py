"""Where the embedded server listens, and how to sign in."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import URL


@dataclass(frozen=True)
class ServerAddress:
    """A running embedded server: everything needed to connect as its superuser.

    `repr` leaves out the password, so that an address may be logged.
    """

    host: str
    port: int
    user: str
    password: str = field(repr=False)
    data_dir: Path

    def url(self, database: str = "postgres") -> URL:
        """Return SQLAlchemy's address of `database`; it holds the password."""
        return URL.create(
            "postgresql+psycopg",
            username=self.user,
            password=self.password,
            host=self.host,
            port=self.port,
            database=database,
        )
