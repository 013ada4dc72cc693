"""An id reaches PostgreSQL as it is, or not at all."""

import pytest
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.orm import Session

import hedgerow
from hedgerow import Identity, IdentityError
from tests.hedgerow.paths.support import WHO
from tests.support.databases import Database
from tests.support.sessions import ROW_SECURITY


def test_an_id_with_a_nul_character_does_not_become_another_user(pool: Engine) -> None:
    """P3: libpq would cut it off there."""
    with Session(pool) as session:
        hedgerow.bind(session, Identity("alice\0, not really"), ROW_SECURITY)
        with pytest.raises(IdentityError, match="NUL"):
            session.execute(WHO)


def test_an_id_that_does_not_fit_into_the_sockets_buffer(pool: Engine) -> None:
    name = "long" * 4_000_000
    with Session(pool) as session:
        hedgerow.bind(session, Identity(name), ROW_SECURITY)
        assert session.execute(WHO).one()[0] == name


def test_an_id_beyond_ascii_in_another_client_encoding(database: Database) -> None:
    """P3: its bytes would spell another user there."""
    engine = create_engine(database.app_url, client_encoding="latin1")
    for name in ("Zoë", "ÿ"):
        with Session(engine) as session:
            hedgerow.bind(session, Identity(name), ROW_SECURITY)
            assert session.execute(WHO).one()[0] == name
    with Session(engine) as session:
        hedgerow.bind(session, Identity("雪"), ROW_SECURITY)
        assert session.scalar(text(r"SELECT current_setting('app.user_id') = U&'\96EA'"))
    engine.dispose()


def test_an_id_that_is_no_unicode_text(pool: Engine) -> None:
    with Session(pool) as session:
        hedgerow.bind(session, Identity("\ud800"), ROW_SECURITY)
        with pytest.raises(IdentityError, match="no Unicode text"):
            session.execute(WHO)
