"""A project's own model, as the documentation says; test_rls.py runs it with two user ids."""

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
from hedgerow.policies.standard import admin_policies, owner_policies
from hedgerow.provisioning.switches import reconcile


class Abstract(UserScopedBase):
    """No table: it has no `table=True`."""

    note: str | None = None


class TaskBase(Abstract):
    """No table either."""

    title: str = Field(max_length=255)


class Task(TaskBase, table=True):
    __tablename__ = "task"
    id: UUID = Field(default_factory=uuid4, primary_key=True)
    owner: User = Relationship(back_populates="tasks")  # owner_id is inherited


class Reminder(UserScopedBase, table=True):
    """A second table of the same base: each has a column of its own."""

    __tablename__ = "reminder"
    id: UUID = Field(default_factory=uuid4, primary_key=True)


# In a project this is `tasks: list["Task"] = Relationship(back_populates="owner")` in User.
User.tasks = relationship("Task", back_populates="owner")


def check_declaration() -> None:
    scoped = [table.name for table, _ in scoped_tables(SQLModel.metadata)]
    assert scoped == ["item", "reminder", "task"], scoped
    assert set(SQLModel.metadata.tables) == {"user", "item", "reminder", "task"}
    owner_id = SQLModel.metadata.tables["task"].columns["owner_id"]
    assert owner_id.type.python_type is UUID
    assert not owner_id.nullable
    assert owner_id.index
    [key] = owner_id.foreign_keys
    assert key.target_fullname == "user.id"
    assert key.ondelete == "CASCADE"


def migrate() -> None:
    table = SQLModel.metadata.tables["task"]
    with owner_engine().begin() as owner:
        SQLModel.metadata.create_all(owner, [table])
        grant = f"GRANT SELECT, INSERT, UPDATE, DELETE ON task TO {row_security.roles.app}"
        owner.execute(sql.Statement(grant))
        for policy in owner_policies("task", "owner_id") + admin_policies("task"):
            statement = create_policy_statement(policy, "task", None, row_security.roles)
            owner.execute(sql.Statement(statement))
        reconcile(owner, SQLModel.metadata, row_security)


def use(alice: UUID, bob: UUID) -> None:
    for person, title in ((alice, "alice's task"), (bob, "bob's task")):
        with Session(get_engine()) as session:
            hedgerow.bind(session, Identity(person), row_security)
            session.add(Task(title=title, owner_id=person))
            session.commit()
    with Session(get_engine()) as session:
        hedgerow.bind(session, Identity(alice), row_security)
        task = session.exec(select(Task)).one()
        sys.stdout.write(f"{task.title} of {task.owner.email}\n")
    with Session(get_engine()) as session:
        hedgerow.bind(session, Identity(bob), row_security)
        session.get_one(User, bob)
        [title] = session.exec(select(col(Task.title)))
        sys.stdout.write(f"{title}\n")


if __name__ == "__main__":
    check_declaration()
    migrate()
    use(*map(UUID, sys.argv[1:]))
