"""What dependencies tell of a session that they did not make."""

import pytest
from sqlmodel import Session

from app.api.deps import owner_in_reach
from hedgerow import IdentityError


def test_an_unbound_session_reaches_no_owners_rows() -> None:
    with Session() as session, pytest.raises(IdentityError, match="ask for RLSSessionDep"):
        owner_in_reach(session)
