"""One injected SELECT ends no other request, and leaves nothing for another user (P60)."""

import psycopg
import pytest
from sqlalchemy import text

from tests.support.databases import Database
from tests.support.raw import RawConnection, connect

REFUSED = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()",
    "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()",
    "SELECT lo_from_bytea(0, 'stored by alice')",
    "SELECT lo_creat(-1)",
    "SELECT lo_create(0)",
    "SELECT lo_put(1, 0, 'x')",
    "SELECT lo_get(oid) FROM pg_largeobject_metadata UNION SELECT lo_get(1)",
    "SELECT lo_get(1, 0, 1)",
    "SELECT lo_open(1, 131072)",
    "SELECT lo_unlink(1)",
    "SELECT lo_import('/etc/hostname')",
    "SELECT lo_export(1, '/tmp/x')",
    "SELECT pg_read_file('PG_VERSION')",
)
OPEN = "GRANT EXECUTE ON FUNCTION lo_from_bytea(oid, bytea), lo_get(oid) TO PUBLIC"


@pytest.mark.parametrize("role", ["none", "rls_admin"])
def test_the_login_may_execute_none_of_them(role: str, connection: RawConnection) -> None:
    connection.autocommit = True
    connection.execute("SELECT set_config('role', %s, false)", [role])
    for statement in REFUSED:
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="for function"):
            connection.execute(statement)


def test_where_all_may_one_user_reads_what_another_stored(fresh_database: Database) -> None:
    """The negative control: requests of all users are one role's, and so are its large objects."""
    with fresh_database.as_owner() as owner:
        owner.execute(text(OPEN))
    with connect(fresh_database.app_url) as alice:
        alice.execute("SELECT lo_from_bytea(4711, 'of alice')")
        alice.commit()
    with connect(fresh_database.app_url) as bob:
        assert bob.execute("SELECT lo_get(4711)").fetchone() == (b"of alice",)


def test_maintenance_reads_large_objects_as_before(database: Database) -> None:
    with connect(database.maintenance_url) as maintenance:
        maintenance.execute("SELECT lo_from_bytea(4711, 'x')")
        assert maintenance.execute("SELECT lo_get(4711)").fetchone() == (b"x",)
