"""Random histories of a project with tenants, through PgBouncer."""

from sqlalchemy import URL, create_engine

from hedgerow import RowSecurity, guard
from tests.hedgerow.tenants.firm import database_of, firm_for
from tests.hedgerow.tenants.histories import compare
from tests.pgbouncer.pgbouncer import PgBouncer, find_executable


def test_every_history_is_as_declared(server: URL, row_security: RowSecurity) -> None:
    """P11: one connection of the server's serves a user in one tenant, and then another in none."""
    executable, firm = find_executable(), firm_for(row_security)
    with (
        database_of(server, firm, row_security) as database,
        PgBouncer(executable, database.owner_url, database.app_url) as pooler,
    ):
        url = pooler.through(database.app_url)
        engine = guard(
            create_engine(url, pool_size=1, connect_args={"prepare_threshold": None}), row_security
        )
        compare(database, engine, firm, row_security, co_members_are_seen=False)
        engine.dispose()
