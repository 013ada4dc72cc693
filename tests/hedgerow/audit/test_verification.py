"""The chain of the audit trail, and an owner who tampers with it."""

from typing import Any

import pytest
from sqlalchemy import Engine, event, text
from sqlalchemy.exc import ProgrammingError

from hedgerow.audit.schema import GENESIS
from hedgerow.audit.verification import verify
from tests.hedgerow.audit.support import (
    check,
    elevate,
    empty,
    faults,
    filter_reader,
    ids,
    owner,
    put_back,
    recompute,
    tamper,
)
from tests.support.databases import Database
from tests.support.people import Person

ALTERED = {
    "id": "id + 1000",
    "at": "at + interval '1 microsecond'",
    "event": "'login'",
    "elevation": "coalesce(elevation, 0) + 1",
    "user_id": "gen_random_uuid()::text",
    "role": "'owner'",
    "login": "'somebody'",
    "reason": "coalesce(reason, '') || ' '",
    "method": "'POST'",
    "path": "'/'",
    "request_id": "'another'",
    "transaction": "'3'",
    "table_name": "'public.other'",
    "row_key": """'{"id": 1}'""",
    "owner": "'another'",
    "command": "'TRUNCATE'",
    "columns": "'{hashed_password}'",
    "changes": """'{"title": [1, 2]}'""",
    "tenant": "coalesce(tenant, '') || '.'",
    "previous": f"'{GENESIS}'",
    "hash": f"'{GENESIS}'",
}


def test_an_honest_trail_is_whole(history: Database) -> None:
    verification = check(history)
    assert verification.faults == ()
    assert (verification.entries, verification.newest.position) == (8, 8)


def test_an_empty_trail_is_whole(history: Database) -> None:
    empty(history)
    verification = check(history)
    assert (verification.entries, verification.faults) == (0, ())
    assert str(verification.newest) == f"0:{'00' * 32}"
    assert check(history, verification.newest).faults == ()


def test_every_column_can_be_altered_here(history: Database) -> None:
    """A column that comes later must be in the digest as well, and in the test below."""
    with owner(history) as connection:
        columns = connection.scalars(
            text("SELECT attname FROM pg_attribute WHERE attrelid = 'rls.audit'::regclass"
                 " AND attnum > 0 AND NOT attisdropped")
        )  # fmt: skip
        assert set(columns) == {*ALTERED, "position"}


def test_an_altered_entry_is_found(own_history: Database) -> None:
    """Of every kind, at the beginning, in the middle and at the end; and no other entry."""
    tamper(own_history, "ALTER TABLE rls.audit ALTER id DROP IDENTITY")
    for column, value in ALTERED.items():
        tamper(
            own_history, f"UPDATE rls.audit SET {column} = {value} WHERE position IN (1, 3, 4, 8)"
        )
        found = [fault for fault in check(own_history).faults if "altered" in fault.sentence]
        # The first one is chained to the genesis already.
        expected = [3, 4, 8] if column == "previous" else [1, 3, 4, 8]
        assert [fault.position for fault in found] == expected, column
        assert all(f"Position {fault.position} (entry " in fault.sentence for fault in found)
        put_back(own_history)
    assert faults(own_history) == []


@pytest.mark.parametrize("column", ["row_key", "changes"])
def test_a_null_of_json_is_not_nothing(history: Database, column: str) -> None:
    tamper(history, f"UPDATE rls.audit SET {column} = 'null' WHERE position = 3")
    (sentence,) = faults(history)
    assert "altered" in sentence


AGE = "UPDATE rls.audit SET event = '{}', at = at - interval '{} minutes' WHERE position = 5"


@pytest.mark.parametrize("event", ["elevation", "login", "retention"])
def test_an_entry_that_was_made_to_look_old_is_found(history: Database, event: str) -> None:
    """An owner appends it, and computes its hash well: it is the whole of its transaction."""
    said = f'''{{"through": 0, "hash": "{"00" * 32}", "rows": 0}}'''
    tamper(history, f"UPDATE rls.audit SET changes = '{said}' WHERE position = 5")
    tamper(history, AGE.format(event, 4))
    recompute(history)
    assert faults(history) == []  # a clock was set back
    tamper(history, AGE.format(event, 2))
    recompute(history)
    (sentence,) = faults(history)
    with owner(history) as connection:
        at = connection.scalar(text("SELECT at FROM rls.audit WHERE position = 5"))
    assert sentence == (
        f"Position 5 (entry {ids(history)[5]}): dated {at:%Y-%m-%d %H:%M},"
        " before entries that precede it."
    )


@pytest.mark.parametrize("event", ["statement", "change"])
def test_what_a_long_transaction_did_may_be_old(history: Database, event: str) -> None:
    tamper(history, AGE.format(event, 600))
    recompute(history)
    assert faults(history) == []


@pytest.mark.parametrize("column", ["hash", "previous"])
def test_a_null_in_the_chain_is_found(history: Database, column: str) -> None:
    """A digest of NULL is NULL, which no comparison calls different."""
    tamper(history, f"UPDATE rls.audit SET {column} = NULL WHERE position = 8")
    assert "Position 8 (entry " in faults(history)[0]
    assert "altered" in faults(history)[0]


def test_two_swapped_entries_are_found(history: Database) -> None:
    tamper(
        history,
        "UPDATE rls.audit SET position = -position WHERE position IN (2, 3);"
        " UPDATE rls.audit SET position = 5 + position WHERE position < 0",
    )
    found = faults(history)
    assert found[0].startswith("Position 2 (entry ")
    assert found[1].startswith("Position 3 (entry ")
    assert all("altered" in sentence for sentence in found[:2])


@pytest.mark.parametrize(
    ("removed", "sentence"),
    [
        ("= 1", "Removed at the beginning: positions 1 to 1, which no retention explains."),
        ("= 3", "Position 4 (entry {4}): removed before it: position 3."),
        ("IN (3, 4)", "Position 5 (entry {5}): removed before it: position 3 to 4."),
        ("= 8", "Removed at the end: positions 8 to 8."),
        ("> 6", "Removed at the end: positions 7 to 8."),
        ("> 0", "Removed at the end: positions 1 to 8."),
    ],
)
def test_removed_entries_are_found(history: Database, removed: str, sentence: str) -> None:
    written = ids(history)
    tamper(history, f"DELETE FROM rls.audit WHERE position {removed}")
    expected = sentence
    for position, id in written.items():
        expected = expected.replace(f"{{{position}}}", str(id))
    assert faults(history) == [expected]


def test_a_hole_that_was_closed_is_found(history: Database) -> None:
    """Later entries moved up and hashed anew still fit neither the link nor the head."""
    tamper(
        history,
        "DELETE FROM rls.audit WHERE position = 8; UPDATE rls.audit_head SET position = 7",
    )
    assert faults(history) == [
        "rls.audit_head names position 7 with another hash, or an older one, than the newest"
        " entry, position 7."
    ]


def test_a_head_that_lags_or_is_gone_is_found(history: Database) -> None:
    tamper(history, "UPDATE rls.audit_head SET position = 4")
    assert "names position 4" in faults(history)[0]
    tamper(history, "DELETE FROM rls.audit_head")
    assert faults(history) == ["rls.audit_head has 0 rows instead of one."]


def test_an_entry_in_between_is_found(own_history: Database) -> None:
    tamper(own_history, "ALTER TABLE rls.audit DROP CONSTRAINT audit_position_key")
    tamper(own_history, "INSERT INTO rls.audit (position, event, role, previous, hash)"
           " SELECT position, 'elevation', 'admin', previous, hash FROM rls.audit"
           " WHERE position = 3")  # fmt: skip
    found = faults(own_history)
    assert "altered" in found[0]
    assert "the position is taken by another entry" in found[1]


def test_an_entry_written_past_the_trigger_is_found(history: Database) -> None:
    tamper(history, "INSERT INTO rls.audit (event, role) VALUES ('elevation', 'admin')")
    (sentence,) = faults(history)
    assert sentence.endswith("not in the chain; written past its trigger.")


def test_an_entry_appended_with_the_right_place_but_no_digest_is_found(history: Database) -> None:
    tamper(
        history,
        "INSERT INTO rls.audit (position, event, role, previous, hash)"
        " SELECT position + 1, 'elevation', 'admin', hash, sha256('x') FROM rls.audit_head",
    )
    assert "Position 9" in faults(history)[0]


def test_a_planted_function_verifies_nothing(own_history: Database) -> None:
    """P7: the owner may put a function of their own before PostgreSQL's."""
    tamper(own_history, "UPDATE rls.audit SET hash = 'planted' WHERE position = 2")
    tamper(own_history, "CREATE SCHEMA planted")
    tamper(
        own_history,
        "CREATE FUNCTION planted.sha256(bytea) RETURNS bytea LANGUAGE sql"
        " RETURN CAST('planted' AS bytea)",
    )
    tamper(own_history, f"ALTER DATABASE {own_history.name} SET search_path = planted, pg_catalog")
    altered, unlinked = faults(own_history)
    assert "Position 2" in altered
    assert "Position 3" in unlinked


def test_a_policy_that_hides_entries_is_an_error_not_a_shorter_trail(own_history: Database) -> None:
    """P35 for reading: an owner who is filtered must not call what is left the whole."""
    filter_reader(own_history)
    with owner(own_history) as connection:
        connection.execute(text("SET ROLE pg_monitor"))
        connection.commit()
        with pytest.raises(ProgrammingError, match="affected by row-level security"):
            verify(connection)


def test_an_admin_at_work_meanwhile_is_no_fault(
    history: Database, engine: Engine, overseer: Person
) -> None:
    """Entries and head are of one snapshot."""
    with owner(history) as connection:

        @event.listens_for(connection, "before_cursor_execute")
        def _elevate_before_the_head_is_read(*arguments: Any) -> None:
            if "audit_head" in arguments[2]:
                elevate(engine, overseer.id)

        verification = verify(connection)
    assert (verification.entries, verification.faults) == (8, ())
    assert check(history).entries == 9
