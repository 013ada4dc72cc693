"""What the queries of the trail find."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, text

from hedgerow.audit.sentences import sentence
from hedgerow.audit.trail import Event, Filters, as_json, count_entries, select_entries
from tests.hedgerow.audit.support import ORIGIN, age, elevate, owner, remove, tamper
from tests.support.databases import Database
from tests.support.people import Person

EVERYTHING = Filters()


def listed(
    database: Database, filters: Filters = EVERYTHING, *, limit: int = 100, skip: int = 0
) -> list[dict[str, Any]]:
    with owner(database) as connection:
        rows = connection.execute(select_entries(filters, limit=limit, skip=skip)).mappings()
        return [dict(as_json(row)) for row in rows]


def positions(database: Database, filters: Filters) -> list[int]:
    with owner(database) as connection:
        count = connection.scalar(count_entries(filters))
    found = [entry["position"] for entry in listed(database, filters)]
    assert count == len(found)
    return found


def be_of_a_tenant(database: Database, *positions: int) -> None:
    tamper(
        database,
        f"UPDATE rls.audit SET tenant = 'blue team' WHERE position = ANY ('{set(positions)}')",
    )


def test_entries_come_newest_first_in_pages(history: Database) -> None:
    assert positions(history, EVERYTHING) == [8, 7, 6, 5, 4, 3, 2, 1]
    pages = [listed(history, limit=5), listed(history, limit=5, skip=5)]
    assert [[entry["position"] for entry in page] for page in pages] == [[8, 7, 6, 5, 4], [3, 2, 1]]


def test_filters_leave_what_fits_all_of_them(
    history: Database, engine: Engine, overseer: Person, owned: Person
) -> None:
    other = owned.id
    elevate(engine, other)
    changes = positions(history, Filters(event=Event.CHANGE))
    assert changes == [7, 4]
    assert positions(history, Filters(event=Event.STATEMENT)) == [6, 3]
    assert positions(history, Filters(user_id=str(other))) == [9]
    assert positions(history, Filters(user_id=str(overseer.id))) == [8, 7, 6, 5, 4, 3, 2, 1]
    assert positions(history, Filters(role="read_only_admin")) == [1]
    assert positions(history, Filters(owner=str(owned.id))) == changes
    assert positions(history, Filters(owner=str(overseer.id))) == []
    assert positions(history, Filters(request_id="request-7")) == [1]
    assert positions(history, Filters(login="rls_app_user")) == [9, 8, 7, 6, 5, 4, 3, 2, 1]
    assert positions(history, Filters(login="postgres")) == []
    elevation = next(entry["id"] for entry in listed(history) if entry["position"] == 2)
    assert positions(history, Filters(elevation=elevation)) == [4, 3]
    assert positions(history, Filters(event=Event.CHANGE, user_id=str(other))) == []
    be_of_a_tenant(history, 2, 4)
    assert positions(history, Filters(tenant="blue team")) == [4, 2]
    assert positions(history, Filters(tenant="blue team", event=Event.CHANGE)) == [4]


def test_a_tenants_entries_are_found_by_their_index(history: Database) -> None:
    """It holds no entry without a tenant, so where there are no tenants nobody writes to it."""
    query = select_entries(Filters(tenant="blue team"), limit=10)
    with owner(history) as connection:
        connection.execute(text("SET enable_seqscan = off"))
        compiled = query.compile(connection, compile_kwargs={"literal_binds": True})
        plan = "\n".join(connection.scalars(text(f"EXPLAIN {compiled}")))
    assert "audit_tenant_position" in plan
    assert "Index Cond: (tenant = 'blue team'::text)" in plan


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("item", [7, 6, 4, 3]),
        ("public.item", [7, 6, 4, 3]),
        ("other.item", []),
        ("ite_", []),
        ("%", []),
        ("tem", []),
        ("user", [8]),
        ('"user"', [8]),
        ("public.user", [8]),
    ],
)
def test_a_table_is_found_by_either_name(history: Database, name: str, found: list[int]) -> None:
    """P41: a reserved name is recorded quoted."""
    tamper(history, "UPDATE rls.audit SET table_name = 'public.\"user\"' WHERE position = 8")
    assert positions(history, Filters(table=name)) == found


def test_a_time_is_a_beginning_that_counts_and_an_end_that_does_not(history: Database) -> None:
    times = {entry["position"]: datetime.fromisoformat(entry["at"]) for entry in listed(history)}
    assert positions(history, Filters(since=times[3], until=times[5])) == [4, 3]
    elsewhere = times[3] + timedelta(microseconds=1)
    assert positions(history, Filters(since=elsewhere, until=times[5])) == [4]


def test_an_entry_that_is_not_chained_is_shown_first(history: Database) -> None:
    tamper(history, "INSERT INTO rls.audit (event, role) VALUES ('login', 'maintenance')")
    assert listed(history)[0]["position"] is None


def test_an_entry_as_json(history: Database, overseer: Person, owned: Person) -> None:
    *_, change, _, _, elevation = listed(history)
    assert elevation["event"] == "elevation"
    assert elevation["user_id"] == str(overseer.id)
    assert elevation["role"] == "read_only_admin"
    assert elevation["reason"] == "a look"
    assert (elevation["method"], elevation["path"]) == (ORIGIN.method, ORIGIN.path)
    assert elevation["previous"] == "00" * 32
    assert len(elevation["hash"]) == 64
    assert datetime.fromisoformat(elevation["at"]).tzinfo == UTC
    assert change["table_name"] == "public.item"
    assert change["row_key"] == {"id": str(owned.items[0])}
    assert change["columns"] == ["title"]
    assert change["changes"] is None


def test_a_line_says_it_to_people(history: Database, overseer: Person, owned: Person) -> None:
    *_, change, _, _, elevation = listed(history)
    assert sentence(elevation) == (
        f"{elevation['at'][:19]}Z #1 elevation: read_only_admin {overseer.id}"
        " GET /api/v1/admin/items/ request request-7 because: a look"
    )
    assert sentence(change) == (
        f"{change['at'][:19]}Z #4 change: admin {overseer.id} UPDATE public.item"
        f" id={owned.items[0]} of {owned.id} columns title"
    )
    of_a_tenant = sentence(change | {"tenant": "blue team"})
    assert f' of {owned.id} in tenant "blue team" columns title' in of_a_tenant
    assert f" {overseer.id} in tenant 7 GET " in sentence(elevation | {"tenant": "7"})
    values = change | {"changes": {"is_active": [True, False]}}
    assert sentence(values).endswith("columns title changes is_active=true->false")


def test_a_request_cannot_look_like_more_of_its_line(history: Database) -> None:
    """What a client sent as its path or its request id stands in quotes where it holds a space."""
    forged = "/x request 7 because: a complaint"
    entry = {**listed(history)[0], "method": "GET", "path": forged, "request_id": 'a "b c'}
    assert sentence(entry).endswith(' GET "/x request 7 because: a complaint" request "a \\"b c"')
    entry |= {"path": "/x/\u00fc", "request_id": "7"}
    assert sentence(entry).endswith(" GET /x/\u00fc request 7")


def test_a_line_of_a_removal(history: Database) -> None:
    age(history, through=4)
    remove(history, reason="old")
    line = sentence(listed(history)[0])
    assert "retention: owner postgres changes hash=" in line
    assert line.endswith("rows=4 through=4 because: old")


def test_a_line_obeys_no_terminal(history: Database) -> None:
    """A reason comes from a request's header: it must not clear the reader's screen."""
    entry = {**listed(history)[0], "reason": "\x1b[2J\r\nnothing to see \u202e"}
    line = sentence(entry)
    assert line.isprintable()
    assert line.endswith(r"\x1b[2J\r\nnothing to see \u202e")


def test_filters_are_values(history: Database) -> None:
    """An injection is a name like any other."""
    injection = "x' OR true --"
    for filters in (
        Filters(user_id=injection),
        Filters(role=injection),
        Filters(owner=injection),
        Filters(request_id=injection),
        Filters(login=injection),
        Filters(tenant=injection),
        Filters(table=injection),
    ):
        assert positions(history, filters) == []
