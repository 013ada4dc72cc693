"""A PostgreSQL of the benchmarks' own, with settings that are stated, and databases in it."""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, NullPool, create_engine

from hedgerow import sql
from hedgerow.embedded import EmbeddedServer

PROJECT = Path(__file__).resolve().parents[1]
SETTINGS: Mapping[str, str] = {
    # A commit waits for no disk, whose noise would hide what row security adds to it.
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "on",
    "max_wal_size": "8GB",
    "checkpoint_timeout": "1h",
    "shared_buffers": "1GB",
    # Nothing else runs while something is measured, and one statement runs on one core.
    "autovacuum": "off",
    "jit": "off",
    "max_parallel_workers_per_gather": "0",
    "max_connections": "200",
}
"""Settings that are not PostgreSQL's defaults; `autovacuum` is replaced by VACUUM between."""


@contextmanager
def private_server() -> Iterator[URL]:
    """Yield a superuser's address of a new server; it is stopped and removed afterwards."""
    directory = Path(tempfile.mkdtemp(prefix="hedgerow-benchmark-"))
    directory.chmod(0o755)
    server = EmbeddedServer(directory, settings=SETTINGS)
    address = server.acquire()
    try:
        yield address.url()
    finally:
        server.release()
        shutil.rmtree(address.data_dir, ignore_errors=True)
        shutil.rmtree(directory, ignore_errors=True)


@contextmanager
def autocommitting(url: URL) -> Iterator[Connection]:
    """Yield a connection on which each statement is a transaction of its own."""
    engine = create_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        yield connection


def run(url: URL, *statements: str) -> None:
    """Run finished statements, each in a transaction of its own."""
    with autocommitting(url) as connection:
        for statement in statements:
            connection.execute(sql.Statement(statement))


def upgrade(environment: Mapping[str, str], directory: str) -> None:
    """Migrate a database by the real command, run in `directory`, where no `.env` is."""
    command = (sys.executable, "-m", "alembic", "-c", str(PROJECT / "alembic.ini"))
    options: Any = {"cwd": directory, "env": dict(environment), "capture_output": True}
    subprocess.run([*command, "upgrade", "head"], check=True, **options)


def create_database(server: URL, name: str, template: str | None = None) -> URL:
    """Create a database, as a copy where `template` is given, and return its address."""
    source = f" TEMPLATE {sql.name(template)} STRATEGY FILE_COPY" if template else ""
    run(server, f"CREATE DATABASE {sql.name(name)}{source}")
    if template:  # a copy is not granted what its original was
        run(server, f"REVOKE TEMPORARY ON DATABASE {sql.name(name)} FROM PUBLIC")
    return server.set(database=name)


def drop_database(server: URL, name: str) -> None:
    """Drop a database, whoever is still connected."""
    run(server, f"DROP DATABASE IF EXISTS {sql.name(name)} WITH (FORCE)")
