"""Where the embedded server listens, and how to sign in."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path


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

    def conninfo(self, dbname: str = "postgres") -> dict[str, str | int]:
        """Keyword arguments of libpq for a connection to `dbname`; holds the password."""
        return {
            "host": self.host,
            "port": self.port,
            "user": self.user,
            "password": self.password,
            "dbname": dbname,
        }
