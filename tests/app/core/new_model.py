"""A project's own model, as the documentation says; test_rls.py runs it with two user ids.

Its names are ones that no project would choose: the project may have grown models of its own.
"""

import sys
from uuid import UUID, uuid4

from sqlalchemy.orm import relationship
from sqlmodel import Field, Relationship, Session, SQLModel, col, select

import hedgerow
from app.core.db import get_engine, owner_engine
from app.core.rls import UserScopedBase, row_security
from app.models import User
from hedgerow import Identity, scoped_tables, sql
from hedgerow.policies.policy import create_policy_statement
from hedgerow.policies.standard import admin_policies, user_policies
from hedgerow.provisioning.switches import reconcile

TABLES_BEFORE = set(SQLModel.metadata.tables)


class AbstractOfTheTest(UserScopedBase):
    """No table: it has no `table=True`."""

    note: str | None = None


class ScopedBaseOfTheTest(AbstractOfTheTest):
    """No table either."""

    title: str = Field(max_length=255)


class ScopedOfTheTest(ScopedBaseOfTheTest, table=True):
    __tablename__ = "scoped_of_the_test"
    id: UUID = Field(default_factory=uuid4, primary_key=True)
    owner: User = Relationship(back_populates="scoped_of_the_test")  # owner_id is inherited


class SecondOfTheTest(UserScopedBase, table=True):
    """A second table of the same base: each has a column of its own."""

    __tablename__ = "second_of_the_test"
    id: UUID = Field(default_factory=uuid4, primary_key=True)


# In a project this is `tasks: list["Task"] = Relationship(back_populates="owner")` in User.
User.scoped_of_the_test = relationship("ScopedOfTheTest", back_populates="owner")


def check_declaration() -> None:
    new = {"scoped_of_the_test", "second_of_the_test"}
    assert set(SQLModel.metadata.tables) - TABLES_BEFORE == new
    assert {table.name for table, _ in scoped_tables(SQLModel.metadata)} >= {"item", *new}
    owner_id = SQLModel.metadata.tables["scoped_of_the_test"].columns["owner_id"]
    assert owner_id.type.python_type is UUID
    assert not owner_id.nullable
    assert owner_id.index
    [key] = owner_id.foreign_keys
    assert key.target_fullname == "user.id"
    assert key.ondelete == "CASCADE"


def migrate() -> None:
    table = SQLModel.metadata.tables["scoped_of_the_test"]
    with owner_engine().begin() as owner:
        SQLModel.metadata.create_all(owner, [table])
        grant = f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table.name} TO {row_security.roles.app}"
        owner.execute(sql.Statement(grant))
        for policy in user_policies(table, UserScopedBase.__rls__) + admin_policies(table.name):
            statement = create_policy_statement(policy, table.name, None, row_security.roles)
            owner.execute(sql.Statement(statement))
        reconcile(owner, SQLModel.metadata, row_security)


def use(alice: UUID, bob: UUID) -> None:
    for person, title in ((alice, "alice's row"), (bob, "bob's row")):
        with Session(get_engine()) as session:
            hedgerow.bind(session, Identity(person), row_security)
            session.add(ScopedOfTheTest(title=title, owner_id=person))
            session.commit()
    with Session(get_engine()) as session:
        hedgerow.bind(session, Identity(alice), row_security)
        row = session.exec(select(ScopedOfTheTest)).one()
        sys.stdout.write(f"{row.title} of {row.owner.email}\n")
    with Session(get_engine()) as session:
        hedgerow.bind(session, Identity(bob), row_security)
        session.get_one(User, bob)
        [title] = session.exec(select(col(ScopedOfTheTest.title)))
        sys.stdout.write(f"{title}\n")


if __name__ == "__main__":
    check_declaration()
    migrate()
    use(*map(UUID, sys.argv[1:]))
