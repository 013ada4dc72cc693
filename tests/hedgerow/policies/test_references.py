"""A foreign key is checked against what its writer sees, and tells of nothing else (P31, P51)."""

from collections.abc import Iterator
from uuid import UUID

import pytest
from sqlalchemy import (
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Integer,
    MetaData,
    Table,
    UniqueConstraint,
    Uuid,
    text,
)

import hedgerow
from hedgerow import Scope
from tests.hedgerow.policies.playground import Playground, playground
from tests.support.databases import Database

ALICE, BOB = UUID(int=1), UUID(int=2)
FOREIGN_KEY_VIOLATION = "23503"


def project_and_ticket(ticket: Scope | None = None, **key: object) -> MetaData:
    """Return projects, and tickets that refer to one and to another ticket."""
    metadata = MetaData()
    project = Table(
        "project",
        metadata,
        Column("id", Integer, primary_key=True),
        Column("owner_id", Uuid, nullable=False, index=True),
    )
    hedgerow.declare(project, Scope("owner_id"))
    tickets = Table(
        "ticket",
        metadata,
        Column("id", Integer, primary_key=True),
        Column("owner_id", Uuid, nullable=False, index=True),
        Column("project_id", ForeignKey("project.id", **key)),  # type: ignore[arg-type]
        Column("after_id", ForeignKey("ticket.id")),
    )
    hedgerow.declare(tickets, ticket or Scope("owner_id"))
    return metadata


@pytest.fixture
def ground(database: Database) -> Iterator[Playground]:
    with playground(database) as ground:
        yield ground


def fill(ground: Playground) -> None:
    """Give alice project and ticket 1, and bob project and ticket 2."""
    for number, user in ((1, ALICE), (2, BOB)):
        ground.do(user, f"INSERT INTO project VALUES ({number}, '{user}')")
        ground.do(user, f"INSERT INTO ticket VALUES ({number}, '{user}', {number})")


@pytest.fixture
def tickets(ground: Playground) -> Playground:
    ground.protect(project_and_ticket())
    fill(ground)
    return ground


def test_a_row_is_not_hung_on_another_users_parent(tickets: Playground) -> None:
    """P51: the key in INSERT and in UPDATE, to another table and to one's own."""
    insert = f"INSERT INTO ticket VALUES (9, '{ALICE}', %s, %s)"
    assert tickets.attempt(ALICE, insert % (1, 1)) == 1
    assert tickets.attempt(ALICE, insert % ("NULL", "NULL")) == 1
    assert tickets.attempt(ALICE, insert % (2, "NULL")) == FOREIGN_KEY_VIOLATION
    assert tickets.attempt(ALICE, insert % (1, 2)) == FOREIGN_KEY_VIOLATION
    for column in ("project_id", "after_id"):
        assert tickets.attempt(ALICE, f"UPDATE ticket SET {column} = 1") == 1
        assert tickets.attempt(ALICE, f"UPDATE ticket SET {column} = 2") == FOREIGN_KEY_VIOLATION


def test_without_the_check_it_is(tickets: Playground) -> None:
    """The negative control: PostgreSQL's own check asks no policy."""
    tickets.owner.execute(text('DROP TRIGGER "Hedgerow_project_id_key" ON ticket'))
    assert tickets.attempt(ALICE, f"INSERT INTO ticket VALUES (9, '{ALICE}', 2)") == 1


@pytest.mark.parametrize(
    "statement",
    [
        f"INSERT INTO ticket VALUES (9, '{ALICE}', {{}})",
        "UPDATE ticket SET project_id = {}",
        f"INSERT INTO ticket VALUES (1, '{ALICE}', 1) ON CONFLICT (id) DO UPDATE"
        " SET project_id = {}",
    ],
)
def test_a_hidden_parent_is_told_like_one_that_does_not_exist(
    tickets: Playground, statement: str
) -> None:
    """P31: to the last field, so that nothing tells whether another user's project exists."""
    hidden = tickets.refusal(ALICE, statement.format(2))
    missing = tickets.refusal(ALICE, statement.format(77))
    assert hidden == missing
    assert hidden["sqlstate"] == FOREIGN_KEY_VIOLATION
    assert hidden["constraint_name"] == "ticket_project_id_fkey"
    assert hidden["message_primary"] == (
        'insert or update on table "ticket" violates foreign key constraint'
        ' "ticket_project_id_fkey"'
    )


def test_a_temporary_table_does_not_take_the_parents_place(tickets: Playground) -> None:
    """The check names its tables with their schema."""
    tickets.owner.execute(text("CREATE TEMPORARY TABLE project (id int)"))
    tickets.owner.execute(text("GRANT ALL ON pg_temp.project TO rls_app_user"))
    with tickets.acting_as(ALICE) as connection:
        connection.execute(text("INSERT INTO project VALUES (2)"))
        savepoint = connection.begin_nested()
        with pytest.raises(Exception, match="ticket_project_id_fkey"):
            connection.execute(text("UPDATE ticket SET project_id = 2"))
        savepoint.rollback()


def test_parent_and_child_in_one_statement(tickets: Playground) -> None:
    """Like the foreign key, the check looks at what is there when the statement ends."""
    both = f"""
        WITH made AS (INSERT INTO project VALUES (5, '{ALICE}') RETURNING id)
        INSERT INTO ticket SELECT 9, '{ALICE}', id FROM made
    """
    assert tickets.attempt(ALICE, both) == 1


def test_a_key_that_is_not_written_is_not_looked_up(tickets: Playground) -> None:
    """The check costs one look-up for each key that is written, and nothing else.

    So a row stays as it is, and can be changed, whose parent is not seen any more.
    """
    tickets.owner.execute(text("UPDATE ticket SET project_id = 2, after_id = 2 WHERE id = 1"))
    assert tickets.attempt(ALICE, "UPDATE ticket SET id = 3, project_id = 2") == 1
    assert tickets.attempt(ALICE, "UPDATE ticket SET after_id = 1, project_id = 2") == 1
    with tickets.acting_as(ALICE) as connection:
        read = connection.scalars(text("EXPLAIN SELECT * FROM ticket")).all()
    assert not any("project" in line for line in read)


def test_a_deferred_key_is_checked_when_the_foreign_key_is(ground: Playground) -> None:
    ground.protect(project_and_ticket(deferrable=True, initially="DEFERRED"))
    fill(ground)
    with ground.acting_as(ALICE) as connection:
        connection.execute(text("SET CONSTRAINTS ALL DEFERRED"))
        connection.execute(text(f"INSERT INTO ticket VALUES (9, '{ALICE}', 8)"))
        connection.execute(text(f"INSERT INTO project VALUES (8, '{ALICE}')"))
        connection.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))
    insert = "INSERT INTO ticket VALUES (9, '{}', {})"
    hidden = ground.refusal(ALICE, insert.format(ALICE, 2))
    assert hidden == ground.refusal(ALICE, insert.format(ALICE, 77))


def test_a_key_that_says_why_is_not_checked(ground: Playground) -> None:
    scope = Scope("owner_id", unchecked={"project_id": "anybody files tickets for any project"})
    ground.protect(project_and_ticket(scope))
    fill(ground)
    assert ground.attempt(ALICE, f"INSERT INTO ticket VALUES (9, '{ALICE}', 2)") == 1
    missing = ground.attempt(ALICE, f"INSERT INTO ticket VALUES (9, '{ALICE}', 1, 2)")
    assert missing == FOREIGN_KEY_VIOLATION


def test_a_composite_key_that_carries_the_owner_needs_no_check(ground: Playground) -> None:
    metadata = project_and_ticket()
    metadata.tables["project"].append_constraint(UniqueConstraint("owner_id", "id"))
    step = Table(
        "step",
        metadata,
        Column("id", Integer, primary_key=True),
        Column("owner_id", Uuid),
        Column("project_id", Integer),
        ForeignKeyConstraint(["owner_id", "project_id"], ["project.owner_id", "project.id"]),
    )
    hedgerow.declare(step, Scope("owner_id"))
    ground.protect(metadata)
    fill(ground)
    count = text("SELECT count(*) FROM pg_trigger WHERE tgname LIKE 'Hedgerow%' AND tgrelid = :t")
    assert ground.owner.scalar(count.bindparams(t=ground.oid("step"))) == 0
    for project, outcome in ((1, 1), (2, FOREIGN_KEY_VIOLATION), (77, FOREIGN_KEY_VIOLATION)):
        insert = f"INSERT INTO step VALUES (1, '{ALICE}', {project})"
        assert ground.attempt(ALICE, insert) == outcome


def test_a_composite_key_that_does_not_is_checked_as_a_whole(ground: Playground) -> None:
    metadata = MetaData()
    place = Table(
        "place",
        metadata,
        Column("country", Integer, primary_key=True),
        Column("town", Integer, primary_key=True),
        Column("owner_id", Uuid),
    )
    visit = Table(
        "visit",
        metadata,
        Column("id", Integer, primary_key=True),
        Column("owner_id", Uuid),
        Column("country", Integer),
        Column("town", Integer),
        ForeignKeyConstraint(["country", "town"], ["place.country", "place.town"]),
    )
    hedgerow.declare(place, Scope("owner_id"))
    hedgerow.declare(visit, Scope("owner_id"))
    ground.protect(metadata)
    ground.do(ALICE, f"INSERT INTO place VALUES (1, 1, '{ALICE}')")
    ground.do(BOB, f"INSERT INTO place VALUES (1, 2, '{BOB}')")
    insert = f"INSERT INTO visit VALUES (1, '{ALICE}', 1, %s)"
    assert ground.attempt(ALICE, insert % 1) == 1
    assert ground.attempt(ALICE, insert % "NULL") == 1
    assert ground.refusal(ALICE, insert % 2) == ground.refusal(ALICE, insert % 3)


def test_names_that_are_sql_only_in_quotes(ground: Playground) -> None:
    """P41: quotes, percent signs, backslashes and dollar signs in every name."""
    metadata = MetaData(schema="odd $$ %schema")
    ground.owner.execute(text('CREATE SCHEMA "odd $$ %schema"'))
    ground.owner.execute(text('GRANT USAGE ON SCHEMA "odd $$ %schema" TO rls_app_user'))
    name = 'the "parent\'s" %1$I \\'
    parent = Table(name, metadata, Column("a %s", Integer, primary_key=True), Column("owner", Uuid))
    child = Table(
        "select",
        metadata,
        Column("id", Integer, primary_key=True),
        Column("owner", Uuid),
        Column('of "it\\"', ForeignKey(parent.c["a %s"])),
    )
    hedgerow.declare(parent, Scope("owner"))
    hedgerow.declare(child, Scope("owner"))
    ground.protect(metadata)
    for number, user in ((1, ALICE), (2, BOB)):
        ground.do(user, parent.insert().values({"a %s": number, "owner": user}).inline())
    assert ground.attempt(ALICE, child.insert().values({"id": 1, "owner": ALICE}).inline()) == 1
    for number, outcome in ((1, 1), (2, FOREIGN_KEY_VIOLATION)):
        values = {"id": 1, "owner": ALICE, 'of "it\\"': number}
        assert ground.attempt(ALICE, child.insert().values(values).inline()) == outcome


def test_tables_that_are_called_like_types(ground: Playground) -> None:
    """P55: a type of that name is another thing."""
    metadata = MetaData()
    parent = Table("path", metadata, Column("id", Integer, primary_key=True), Column("owner", Uuid))
    child = Table(
        "point",
        metadata,
        Column("id", Integer, primary_key=True),
        Column("owner", Uuid),
        Column("path", ForeignKey(parent.c.id)),
    )
    dot = Table("line", metadata, Column("point", ForeignKey(child.c.id), primary_key=True))
    hedgerow.declare(parent, Scope("owner"))
    hedgerow.declare(child, Scope("owner"))
    hedgerow.declare(dot, Scope.through("point"))
    ground.protect(metadata)
    for number, user in ((1, ALICE), (2, BOB)):
        ground.do(user, f"INSERT INTO public.path VALUES ({number}, '{user}')")
        ground.do(user, f"INSERT INTO public.point VALUES ({number}, '{user}', {number})")
        ground.do(user, f"INSERT INTO public.line VALUES ({number})")
    hung = f"INSERT INTO public.point VALUES (3, '{ALICE}', 2)"
    assert ground.attempt(ALICE, hung) == FOREIGN_KEY_VIOLATION
    for table in ("path", "point", "line"):
        assert ground.attempt(ALICE, f"SELECT * FROM public.{table}") == 1
