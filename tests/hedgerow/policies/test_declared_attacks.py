"""What a user tries to get past a declaration, beside the ordinary commands (P31, P50, P51)."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import (
    Boolean,
    Column,
    Computed,
    ForeignKey,
    ForeignKeyConstraint,
    Integer,
    MetaData,
    Table,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

import hedgerow
from hedgerow import ConfigurationError, Exempt, Policy, Scope, exempt
from hedgerow.catalogs.tables import tables_by_name
from hedgerow.policies.declarations import check_declarations
from hedgerow.policies.live import live_protections
from hedgerow.policies.registry import scope_of
from hedgerow.provisioning.switches import reconcile
from tests.hedgerow.policies.playground import ROW_SECURITY, Playground, playground
from tests.support.databases import Database

ALICE, BOB = UUID(int=1), UUID(int=2)
FOREIGN_KEY_VIOLATION = "23503"
ME = "(SELECT rls.user_id())"


@pytest.fixture
def ground(database: Database) -> Iterator[Playground]:
    with playground(database) as ground:
        yield ground


def id_column() -> Column[int]:
    return Column("id", Integer, primary_key=True)


def owned(metadata: MetaData, name: str, *more: Any, scope: Scope | None = None) -> Table:
    """Return a table whose rows have an owner, with the columns `more`."""
    table = Table(name, metadata, id_column(), Column("owner_id", Uuid, index=True), *more)
    return hedgerow.declare(table, scope or Scope("owner_id"))


def shared(share: Scope | Exempt, *more: Any, projects: Scope | None = None) -> MetaData:
    """Return projects that are shared, by shares that are declared as `share`."""
    metadata = MetaData()
    scope = projects or Scope("owner_id", shared_with="share")
    owned(metadata, "project", UniqueConstraint("owner_id", "id"), scope=scope)
    shares = Table(
        "share",
        metadata,
        Column("project_id", ForeignKey("project.id"), primary_key=True),
        Column("user_id", Uuid, primary_key=True),
        Column("can_write", Boolean, nullable=False),
        *more,
    )
    hedgerow.declare(shares, share)
    return metadata


@pytest.mark.parametrize(
    "share",
    [
        Scope("user_id"),
        Scope("granted_by"),
        Scope("granted_by", commands={"SELECT", "INSERT"}),
        exempt("shares are no secret", commands={"SELECT", "UPDATE"}),
        Scope.through("other_id"),
    ],
)
def test_shares_that_others_than_the_owner_could_make_are_refused(share: Scope | Exempt) -> None:
    """Whoever may write a share of a row that is not theirs shares it with themselves."""
    metadata = shared(share, Column("granted_by", Uuid), Column("other_id", ForeignKey("other.id")))
    owned(metadata, "other")
    with pytest.raises(ConfigurationError, match=r'Scope.through\("project_id"\)'):
        check_declarations(metadata)


@pytest.mark.parametrize(
    "share",
    [
        Scope.through("project_id"),
        Scope("user_id", commands={"SELECT", "DELETE"}),
        exempt("admins share"),
        Scope("owner_id"),
    ],
)
def test_shares_that_only_the_owner_makes_are_fine(share: Scope | Exempt) -> None:
    owner = Column("owner_id", Uuid)
    carries = ForeignKeyConstraint(["owner_id", "project_id"], ["project.owner_id", "project.id"])
    check_declarations(shared(share, owner, carries))


def test_forced_tables_leave_out_the_shares(ground: Playground) -> None:
    """Forced, a share table would hide its rows from the owner's function: nothing is shared."""
    metadata = shared(Scope.through("project_id"))
    ground.protect(metadata)
    reconcile(ground.owner, metadata, replace(ROW_SECURITY, force=True))
    states = tables_by_name(ground.owner, ["project", "share"])
    assert {name: state.forced for name, state in states.items()} == {
        "project": True,
        "share": False,
    }


def test_two_functions_do_not_have_the_same_name(ground: Playground) -> None:
    """The second would take the place of the first, and ask for another parent."""
    metadata = MetaData()
    owned(metadata, "project")
    owned(metadata, "label")
    owned(metadata, "ticket", Column("label_id", ForeignKey("label.id")))
    ticket_label = Table(
        "ticket_label",
        metadata,
        Column("id", ForeignKey("project.id"), primary_key=True),
        Column("owner_id", Uuid),
    )
    hedgerow.declare(ticket_label, Scope("owner_id"))
    ground.protect(metadata)
    ground.do(BOB, f"INSERT INTO label VALUES (2, '{BOB}')")
    ground.do(ALICE, f"INSERT INTO project VALUES (2, '{ALICE}')")
    hung = ground.attempt(ALICE, f"INSERT INTO ticket VALUES (1, '{ALICE}', 2)")
    assert hung == FOREIGN_KEY_VIOLATION


def test_shares_of_two_schemas_do_not_have_the_same_function(ground: Playground) -> None:
    metadata = MetaData()
    ground.owner.execute(text("CREATE SCHEMA a; GRANT USAGE ON SCHEMA a TO rls_app_user"))
    for schema, name in (("a", "project"), (None, "a_project")):
        prefix = f"{schema}." if schema else ""
        table = Table(name, metadata, id_column(), Column("owner_id", Uuid), schema=schema)
        hedgerow.declare(table, Scope("owner_id", shared_with=f"{prefix}share_{name}"))
        share = Table(
            f"share_{name}",
            metadata,
            Column("project_id", ForeignKey(f"{prefix}{name}.id"), primary_key=True),
            Column("user_id", Uuid, primary_key=True),
            Column("can_write", Boolean),
            schema=schema,
        )
        hedgerow.declare(share, Scope.through("project_id"))
    ground.protect(metadata)
    for stored in ("a.project", "a_project"):
        ground.do(BOB, f"INSERT INTO {stored} VALUES (1, '{BOB}')")
    ground.do(BOB, f"INSERT INTO a.share_project VALUES (1, '{ALICE}', true)")
    assert ground.attempt(ALICE, "SELECT FROM a.project") == 1
    assert ground.attempt(ALICE, "SELECT FROM a_project") == 0


def own_insert_policy(name: str, column: str) -> Policy:
    return Policy(name, "INSERT", with_check=f"{column} = {ME}")


def test_a_parents_key_is_checked_where_an_own_policy_lets_rows_in(ground: Playground) -> None:
    """P51: readers may comment; nobody comments on what they do not see."""
    metadata = MetaData()
    owned(metadata, "topic", scope=Scope("owner_id"))
    comment = Table(
        "comment", metadata, id_column(), Column("author_id", Uuid),
        Column("topic_id", ForeignKey("topic.id")),
    )  # fmt: skip
    policies = (own_insert_policy("readers_comment", "author_id"),)
    hedgerow.declare(comment, Scope.through("topic_id", policies=policies))
    ground.protect(metadata)
    ground.do(BOB, f"INSERT INTO topic VALUES (2, '{BOB}')")
    insert = f"INSERT INTO comment VALUES (1, '{ALICE}', %s)"
    assert ground.refusal(ALICE, insert % 2) == ground.refusal(ALICE, insert % 77)


def test_a_key_with_the_owner_is_checked_where_an_own_policy_lets_rows_in(
    ground: Playground,
) -> None:
    """P51: the policy may let rows of other owners in, whom the key then refers to."""
    metadata = MetaData()
    owned(metadata, "topic", UniqueConstraint("owner_id", "id"))
    key = ForeignKeyConstraint(["owner_id", "topic_id"], ["topic.owner_id", "topic.id"])
    policies = (Policy("anybody_reports", "INSERT", with_check="true"),)
    owned(metadata, "report", Column("topic_id", Integer), key,
          scope=Scope("owner_id", policies=policies))  # fmt: skip
    ground.protect(metadata)
    ground.do(BOB, f"INSERT INTO topic VALUES (2, '{BOB}')")
    insert = f"INSERT INTO report VALUES (1, '{BOB}', %s)"
    assert ground.refusal(ALICE, insert % 2) == ground.refusal(ALICE, insert % 77)


def test_a_second_key_with_the_parents_column_is_checked(ground: Playground) -> None:
    """P51: the parent decides only on the key to the parent."""
    metadata = MetaData()
    owned(metadata, "project")
    owned(metadata, "ticket", Column("project_id", Integer), UniqueConstraint("project_id", "id"))
    step = Table(
        "step", metadata, id_column(), Column("project_id", ForeignKey("project.id")),
        Column("ticket_id", Integer),
        ForeignKeyConstraint(["project_id", "ticket_id"], ["ticket.project_id", "ticket.id"]),
    )  # fmt: skip
    hedgerow.declare(step, Scope.through("project_id"))
    ground.protect(metadata)
    ground.do(ALICE, f"INSERT INTO project VALUES (1, '{ALICE}')")
    ground.do(BOB, f"INSERT INTO ticket VALUES (2, '{BOB}', 1)")
    insert = "INSERT INTO step VALUES (1, 1, %s)"
    assert ground.refusal(ALICE, insert % 2) == ground.refusal(ALICE, insert % 77)


def test_an_unmanaged_policy_that_hides_parents_hides_their_children(ground: Playground) -> None:
    """P29: it may be restrictive; so the children ask for what is seen of the parents."""
    metadata = MetaData()
    scope = Scope("owner_id", read="everyone", unmanaged=frozenset({"drafts"}))
    owned(metadata, "post", scope=scope)
    comment = Table("comment", metadata, id_column(), Column("post_id", ForeignKey("post.id")))
    hedgerow.declare(comment, Scope.through("post_id"))
    ground.protect(metadata)
    ground.owner.execute(
        text(f"CREATE POLICY drafts ON post AS RESTRICTIVE FOR SELECT USING (owner_id = {ME})")
    )
    ground.do(BOB, f"INSERT INTO post VALUES (1, '{BOB}')")
    ground.do(BOB, "INSERT INTO comment VALUES (1, 1)")
    assert ground.attempt(BOB, "SELECT FROM comment") == 1
    assert ground.attempt(ALICE, "SELECT FROM comment") == 0


def test_a_key_that_a_trigger_changes_is_checked(ground: Playground) -> None:
    """P51: UPDATE names other columns; a trigger of the project's writes the key."""
    metadata = MetaData()
    owned(metadata, "project")
    owned(metadata, "ticket", Column("project_id", ForeignKey("project.id")),
          Column("wish", Integer))  # fmt: skip
    ground.protect(metadata)
    ground.owner.execute(
        text(
            "CREATE FUNCTION pg_temp.moves() RETURNS trigger LANGUAGE plpgsql AS"
            " 'BEGIN NEW.project_id := NEW.wish; RETURN NEW; END';"
            "CREATE TRIGGER moves BEFORE UPDATE ON ticket"
            " FOR EACH ROW EXECUTE FUNCTION pg_temp.moves()"
        )
    )
    for number, user in ((1, ALICE), (2, BOB)):
        ground.do(user, f"INSERT INTO project VALUES ({number}, '{user}')")
    ground.do(ALICE, f"INSERT INTO ticket VALUES (1, '{ALICE}', 1)")
    assert ground.attempt(ALICE, "UPDATE ticket SET wish = 1") == 1
    update = "UPDATE ticket SET wish = %s"
    assert ground.refusal(ALICE, update % 2) == ground.refusal(ALICE, update % 77)


def test_partitions(ground: Playground) -> None:
    """Rows that move to another partition, and keys of partitioned tables, are checked too."""
    metadata = MetaData()
    owned(metadata, "project")
    ticket = Table(
        "ticket", metadata, Column("id", Integer, primary_key=True), Column("owner_id", Uuid),
        Column("month", Integer, primary_key=True), Column("project_id", ForeignKey("project.id")),
        postgresql_partition_by="LIST (month)",
    )  # fmt: skip
    hedgerow.declare(ticket, Scope("owner_id"))
    ground.protect(metadata)
    for month in (1, 2):
        ground.owner.execute(
            text(f"CREATE TABLE ticket_{month} PARTITION OF ticket FOR VALUES IN ({month})")
        )
    for number, user in ((1, ALICE), (2, BOB)):
        ground.do(user, f"INSERT INTO project VALUES ({number}, '{user}')")
    ground.do(ALICE, f"INSERT INTO ticket VALUES (1, '{ALICE}', 1, 1)")
    assert ground.attempt(ALICE, "UPDATE ticket SET month = 2") == 1
    for statement in (
        f"INSERT INTO ticket VALUES (9, '{ALICE}', 1, %s)",
        "UPDATE ticket SET project_id = %s",
        "UPDATE ticket SET month = 2, project_id = %s",
        "MERGE INTO ticket USING (VALUES (1)) AS v (id) ON ticket.id = v.id WHEN MATCHED THEN"
        " UPDATE SET project_id = %s",
    ):
        assert ground.refusal(ALICE, statement % 2) == ground.refusal(ALICE, statement % 77)
    for partition in ("ticket_1", "ticket_2"):
        assert ground.attempt(ALICE, f"SELECT FROM {partition}") == "42501"


def test_a_key_that_is_generated_is_checked(ground: Playground) -> None:
    """P51: no statement ever names it."""
    metadata = MetaData()
    owned(metadata, "project")
    computed = Computed("wish", persisted=True)
    key = Column("project_id", Integer, computed, ForeignKey("project.id"))
    owned(metadata, "ticket", Column("wish", Integer), key)
    ground.protect(metadata)
    for number, user in ((1, ALICE), (2, BOB)):
        ground.do(user, f"INSERT INTO project VALUES ({number}, '{user}')")
    ground.do(ALICE, f"INSERT INTO ticket VALUES (1, '{ALICE}', 1)")
    update = "UPDATE ticket SET wish = %s"
    assert ground.attempt(ALICE, update % 1) == 1
    assert ground.refusal(ALICE, update % 2) == ground.refusal(ALICE, update % 77)


def test_columns_that_only_postgresql_would_quote(ground: Playground) -> None:
    """P41: privileges on columns are compared by name, and those of dropped columns not at all."""
    metadata = shared(Scope.through("project_id"))
    for name in ("position", "time", "values", "order", "Name", "a b", "percent%", 'quo"te', "a$b"):
        metadata.tables["project"].append_column(Column(name, Integer))
    ground.protect(metadata)
    ground.owner.execute(text("ALTER TABLE project DROP COLUMN time, DROP COLUMN position"))
    roles = ROW_SECURITY.roles
    grants = live_protections(ground.owner, ["public"], roles)[(None, "project")].grants
    assert [one for one in grants["rls_app_user"] if "time" in one or "dropped" in one] == []


def test_a_table_does_not_inherit_that_everybody_reads_it() -> None:
    """P50: in joined-table inheritance the child's table may hold what the parent's does not."""

    class Base(DeclarativeBase):
        pass

    class Country(Base):
        __tablename__ = "country"
        __rls__ = exempt("names of countries are public")

        id: Mapped[int] = mapped_column(primary_key=True)

    class Embargo(Country):
        __tablename__ = "embargo"

        id: Mapped[int] = mapped_column(ForeignKey("country.id"), primary_key=True)

    class Province(Country):
        """The same table, and so the same declaration."""

    assert isinstance(scope_of(Base.metadata.tables["country"]), Exempt)
    assert scope_of(Base.metadata.tables["embargo"]) is None
    assert issubclass(Province, Country)


def test_parents_and_an_owner_are_not_declared_together() -> None:
    """The parents would decide, and a key that carries the owner would not be checked."""
    with pytest.raises(ConfigurationError, match="through"):
        Scope("owner_id", parents=("project_id",))
