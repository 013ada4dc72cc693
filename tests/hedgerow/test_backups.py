"""P42: a dump is whole or an error, and what is restored from it keeps users apart as before.

The owner is not a superuser, as on a managed PostgreSQL. docs/deployment/backups.md is followed by
tests/docs, with signed identities and as a superuser.
"""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from sqlalchemy import URL

from hedgerow import sql
from tests.support.clients import client_folder
from tests.support.databases import Database, drop, server_version
from tests.support.deployments import PASSWORD, Deployment, drop_roles, unique_role_names
from tests.support.isolation import assert_kept_apart
from tests.support.people import Person, add_person
from tests.support.processes import output_of, run_command
from tests.support.raw import connect
from tests.support.roles import run

LOGIN_EVENTS_SINCE = 170000


def create_database(server: URL, owner: str) -> Database:
    name = f"hedgerow_test_{uuid4().hex[:12]}"
    engine = Database(server).engine().execution_options(isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(sql.Statement(f"CREATE DATABASE {name} OWNER {owner}"))
    return Database(server.set(database=name, username=owner, password=PASSWORD))


@pytest.fixture
def managed(server: URL) -> Iterator[tuple[Deployment, Database]]:
    """Yield a deployment whose owner is not a superuser, and an empty database of that owner."""
    owner = f"owner_{uuid4().hex[:10]}"
    with Database(server).as_owner() as superuser:
        run(superuser, f"CREATE ROLE {owner} LOGIN CREATEROLE PASSWORD '{PASSWORD}'")
    source, target = create_database(server, owner), create_database(server, owner)
    deployment = Deployment(source, unique_role_names())
    deployment.upgrade()
    yield deployment, target
    for database in (source, target):
        drop(Database(server.set(database=database.name)))
    drop_roles(server, deployment.roles)
    with Database(server).as_owner() as superuser:
        run(superuser, f"DROP ROLE {owner}")


def client(program: str, url: URL, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run one of PostgreSQL's programs on the database at `url`."""
    address = url.set(drivername="postgresql").render_as_string(hide_password=False)
    return run_command(
        [client_folder(url) / program, f"--dbname={address}", *arguments],
    )


def dump(url: URL, file: Path) -> subprocess.CompletedProcess[str]:
    options = ("--format=custom", "--exclude-table-data=rls.signing_key", f"--file={file}")
    return client("pg_dump", url, *options)


def without_event_triggers(programs: Path, archive: Path) -> Path:
    listed = output_of([programs / "pg_restore", "--list", archive])
    use = archive.with_suffix(".list")
    lines = listed.splitlines(keepends=True)
    use.write_text("".join(line for line in lines if "EVENT TRIGGER" not in line))
    return use


def two_people(database: Database) -> tuple[Person, Person]:
    return add_person(database, "alice"), add_person(database, "bob")


def test_what_an_owner_restores_keeps_users_apart(
    server: URL, managed: tuple[Deployment, Database], tmp_path: Path
) -> None:
    """P42: whole, apart, and with nothing left that a migration would change."""
    source, target = managed
    alice, bob = two_people(source.database)
    if server_version(server) >= LOGIN_EVENTS_SINCE:
        with Database(server.set(database=source.database.name)).as_owner() as superuser:
            run(
                superuser,
                "CREATE EVENT TRIGGER rls_audit_login ON login EXECUTE FUNCTION rls.record_login()",
            )
    archive = tmp_path / "dump"
    dumped = dump(source.database.owner_url, archive)
    assert dumped.returncode == 0, dumped.stderr

    restored = Deployment(target, source.roles)
    roles_only = restored.alembic("stamp", "base")
    assert roles_only.returncode == 0, roles_only.stderr
    result = client(
        "pg_restore",
        target.owner_url,
        f"--use-list={without_event_triggers(client_folder(server), archive)}",
        *("--clean", "--if-exists", "--single-transaction"),
        archive,
    )
    assert result.returncode == 0, result.stderr
    restored.upgrade()
    check = restored.alembic("check")
    assert check.returncode == 0, check.stdout + check.stderr
    assert_kept_apart(restored.app_url, alice, bob)


def test_under_force_the_owner_is_refused_and_a_role_for_backups_is_not(
    server: URL, managed: tuple[Deployment, Database], tmp_path: Path
) -> None:
    """P42: row security holds for the owner then, so pg_dump gives up before the first row."""
    deployment, _ = managed
    two_people(deployment.database)
    deployment.upgrade(RLS_FORCE="true")
    refused = dump(deployment.database.owner_url, tmp_path / "refused")
    assert refused.returncode != 0
    assert "row-level security" in refused.stderr

    backup = f"backup_{uuid4().hex[:10]}"
    with Database(server).as_owner() as superuser:
        run(superuser, f"CREATE ROLE {backup} LOGIN BYPASSRLS PASSWORD '{PASSWORD}'")
        run(superuser, f"GRANT pg_read_all_data TO {backup}")
    try:
        url = deployment.database.owner_url.set(username=backup)
        whole = dump(url, tmp_path / "whole")
        assert whole.returncode == 0, whole.stderr
        with connect(url) as reader, pytest.raises(psycopg.errors.InsufficientPrivilege):
            reader.execute("UPDATE item SET title = 'changed'")
    finally:
        with Database(server).as_owner() as superuser:
            run(superuser, f"DROP ROLE {backup}")


def test_the_maintenance_role_dumps_no_whole_database(
    server: URL, managed: tuple[Deployment, Database], tmp_path: Path
) -> None:
    """P42: it may not read the signing key, so its dump is refused and not a part."""
    deployment, _ = managed
    with Database(server).as_owner() as superuser:
        run(superuser, f"ALTER ROLE {deployment.roles.maintenance} BYPASSRLS")
    refused = dump(deployment.maintenance_url, tmp_path / "refused")
    assert refused.returncode != 0
    assert "permission denied for table" in refused.stderr
