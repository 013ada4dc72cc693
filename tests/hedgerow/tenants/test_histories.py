"""Random histories of a project with tenants: PostgreSQL shows and allows what the model says."""

from dataclasses import replace
from typing import Literal

import pytest
from sqlalchemy import URL

from hedgerow import RowSecurity, guard
from tests.hedgerow.signing.support import PLAIN, SIGNED
from tests.hedgerow.tenants.firm import database_of, firm_for
from tests.hedgerow.tenants.histories import compare
from tests.support.sessions import one_connection


@pytest.mark.parametrize(
    ("row_security", "read"),
    [(PLAIN, None), (replace(SIGNED, id_type="bigint"), "co_members")],
    ids=["plain, UUIDs", "signed, numbers"],
)
def test_every_history_is_as_declared(
    server: URL, row_security: RowSecurity, read: Literal["co_members"] | None
) -> None:
    """P28, P30, P50, P51, P53: whoever asks, in whatever tenant, by whatever way."""
    firm = firm_for(row_security, read=read)
    with database_of(server, firm, row_security) as database:
        engine = guard(one_connection(database), row_security)
        compare(database, engine, firm, row_security, co_members_are_seen=read is not None)
        engine.dispose()
