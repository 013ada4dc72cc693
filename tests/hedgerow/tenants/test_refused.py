"""Declarations about tenants that cannot be meant, each with one sentence that says why."""

import re
from collections.abc import Callable

import pytest
from sqlalchemy import Column, Enum, ForeignKey, Integer, MetaData, Table, Text, Uuid

import hedgerow
from hedgerow import ConfigurationError, Scope
from hedgerow.policies.declarations import check_declarations
from hedgerow.policies.likely import likely_declarations

MEMBERS = Scope.members(tenant="team_id")
TENANT = Scope.tenant("team_id")


class Teams:
    """Teams and their members, declared as given, and a table of documents."""

    def __init__(
        self,
        document: Scope | None = TENANT,
        members: Scope | None = MEMBERS,
        teams: Scope | None = None,
        role: Column[str] | None = None,
    ) -> None:
        self.metadata = MetaData()
        person = Table("person", self.metadata, Column("id", Uuid, primary_key=True))
        hedgerow.declare(person, Scope.itself())
        team = Table("team", self.metadata, Column("id", Integer, primary_key=True))
        hedgerow.declare(team, teams or Scope.tenant())
        self.members = Table(
            "membership",
            self.metadata,
            Column("team_id", ForeignKey("team.id"), primary_key=True),
            Column("user_id", Uuid, primary_key=True),
            Column("role", Text) if role is None else role,
        )
        if members is not None:
            hedgerow.declare(self.members, members)
        self.document = Table(
            "document",
            self.metadata,
            Column("id", Integer, primary_key=True),
            Column("team_id", ForeignKey("team.id")),
            Column("parent_id", ForeignKey("document.id")),
            Column("author_id", ForeignKey("person.id")),
        )
        if document is not None:
            hedgerow.declare(self.document, document)


def check(*, twice: bool = False, **declared: Scope | Column[str] | None) -> Callable[[], None]:
    """Return what declares teams so, and checks them; with `twice` two tables of members."""

    def run() -> None:
        teams = Teams(**declared)  # type: ignore[arg-type]
        if twice:
            copy = teams.members.to_metadata(teams.metadata, name="staff")
            hedgerow.declare(copy, MEMBERS)
        check_declarations(teams.metadata)

    return run


def without_a_key() -> None:
    metadata = MetaData()
    columns = [Column(name, Uuid, primary_key=True) for name in ("team_id", "user_id")]
    table = Table("membership", metadata, *columns, Column("role", Text))
    hedgerow.declare(table, MEMBERS)
    check_declarations(metadata)


def with_a_key_of_its_own(*, default: bool) -> None:
    metadata = MetaData()
    hedgerow.declare(Table("team", metadata, Column("id", Uuid, primary_key=True)), Scope.tenant())
    table = Table(
        "membership",
        metadata,
        Column("id", Uuid, primary_key=True),
        Column("team_id", ForeignKey("team.id"), unique=default),
        Column("user_id", Uuid),
        Column("role", Text),
    )
    hedgerow.declare(table, MEMBERS)
    check_declarations(metadata)


@pytest.mark.parametrize(
    ("refused", "sentence"),
    [
        (lambda: Scope.tenant("team_id", write=set()), "write is a set of roles"),
        (lambda: Scope.tenant("team_id", read="editor"), "read is a set of roles"),  # type: ignore[arg-type]
        (lambda: Scope.members(tenant="team_id", admins="admin"), "leave it out for none."),  # type: ignore[arg-type]
        (lambda: Scope.tenant("team_id", secret={"x"}), "secret"),  # type: ignore[call-arg]
        (
            lambda: Scope.members(tenant="team_id", role=None, admins={"a"}),
            "admins are members with a role",
        ),
        (lambda: Scope("owner_id").and_owner("author_id"), "have an owner already"),
        (lambda: Scope.tenant("t").and_owner("a").and_owner("b"), "name one column"),
        (lambda: Scope.itself().and_claim("place"), "follows no Scope.itself()"),
        (lambda: Scope("owner_id", public=True).and_claim("place"), "and public contradict"),
        (lambda: Scope.tenant(read="everyone").and_owner("author_id"), "contradict each other"),
        (lambda: Scope(None, read="co_members"), "needs rows of a user"),
        (check(members=Scope("user_id")), "no table says who is a member"),
        (
            check(document=Scope("author_id", read="co_members"), members=Scope("user_id")),
            "who is a member",
        ),
        (check(twice=True), "a project has one kind of tenant"),
        (check(document=Scope.tenant("parent_id")), "tenants are the rows of 'team'"),
        (check(document=Scope.tenant("group_id")), "tenant names 'group_id'"),
        (check(document=TENANT.and_owner("writer_id")), "and_owner names 'writer_id'"),
        (check(document=TENANT.and_claim("place")), "and_claim names 'place'"),
        (check(members=Scope.members(tenant="group_id")), "members names 'group_id'"),
        (
            check(
                document=Scope.tenant("team_id", write={"editor"}),
                members=Scope.members(tenant="team_id", role=None),
            ),
            "members have none",
        ),
        (
            check(
                document=Scope.tenant("team_id", write={"editor"}),
                role=Column("role", Enum("owner", "writer", name="r")),
            ),
            "holds one of owner, writer",
        ),
        (check(role=Column("role", Enum("chief", name="r"))), "the role 'owner'"),
        (without_a_key, "no foreign key to a table that is defined"),
        (lambda: with_a_key_of_its_own(default=False), "a member of a tenant twice"),
        (lambda: with_a_key_of_its_own(default=True), "'id' has no default in the database"),
    ],
)
def test_a_contradiction_is_refused(refused: Callable[[], object], sentence: str) -> None:
    with pytest.raises((ConfigurationError, TypeError), match=re.escape(sentence)):
        refused()


def test_the_likely_declarations_of_tables_that_refer_to_tenants() -> None:
    undeclared = Teams(members=None, document=None)
    assert likely(undeclared.members)[0] == 'Scope.members(tenant="team_id")'
    teams = Teams(document=None)
    assert likely(teams.document) == [
        'Scope.tenant("team_id")',
        'Scope.tenant("team_id").and_owner("author_id")',
    ]
    logo = Table("logo", teams.metadata, Column("id", ForeignKey("team.id"), primary_key=True))
    assert likely(logo) == ['Scope.tenant("id")']


def likely(table: Table) -> list[str]:
    """Return what a table could declare, without the exemption."""
    return [one.removeprefix("__rls__ = hedgerow.") for one in likely_declarations(table)[:-1]]
