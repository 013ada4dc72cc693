"""One table of each declaration, as a database of its own for whatever has to know them all."""

from uuid import UUID

from sqlalchemy import (
    Boolean,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)

import hedgerow
from hedgerow import RowSecurity, Scope, exempt, sql
from hedgerow.migrations.autogenerate import around_tables, differences
from hedgerow.policies.declarations import check_declarations
from hedgerow.policies.exempt import Exempt
from tests.support.databases import Database
from tests.support.sessions import ROW_SECURITY

METADATA = MetaData()
_SHARES_WITH_HIDDEN = "whoever shares knows the other by address, and does not see the account"


def _table(name: str, scope: Scope | Exempt, *columns: Column[object], **more: object) -> Table:
    constraints = more.pop("constraints", ())
    key = () if any(column.primary_key for column in columns) else (_key(),)
    table = Table(name, METADATA, *key, *columns, *constraints)  # type: ignore[misc]
    return hedgerow.declare(table, scope)


def _key() -> Column[object]:
    return Column("id", Uuid, primary_key=True)


def _refers(name: str, target: str, *, key: bool = False, index: bool = True) -> Column[object]:
    return Column(name, ForeignKey(target), primary_key=key, nullable=False, index=index)


def _owner() -> Column[object]:
    return _refers("owner_id", "account.id")


ACCOUNT = _table(
    "account",
    Scope.itself(
        sign_in="name",
        admin_only={"is_admin": False},
        secret={"hash"},
        services={"sign-up": {"INSERT"}},
    ),
    Column("name", Text, unique=True),
    Column("is_admin", Boolean, nullable=False),
    Column("hash", Text),
)
PROFILE = _table("profile", Scope.itself("user_id"), _refers("user_id", "account.id", key=True))
PROJECT = _table(
    "project",
    Scope("owner_id", shared_with="project_share"),
    _owner(),
    Column("title", Text),
    constraints=(UniqueConstraint("owner_id", "id"),),
)
PROJECT_SHARE = _table(
    "project_share",
    Scope.through("project_id", unchecked={"user_id": _SHARES_WITH_HIDDEN}),
    _refers("project_id", "project.id", key=True),
    _refers("user_id", "account.id", key=True),
    Column("can_write", Boolean, nullable=False),
)
TASK = _table(
    "task", Scope.through("project_id"), _refers("project_id", "project.id"), Column("title", Text)
)
REMARK = _table("remark", Scope.through("task_id"), _refers("task_id", "task.id"))
TAG = _table("tag", Scope("owner_id", read="everyone"), _owner(), Column("name", Text))
TASK_TAG = _table(
    "task_tag",
    Scope.through("task_id", "tag_id"),
    _refers("task_id", "task.id", key=True),
    _refers("tag_id", "tag.id", key=True),
)
LABEL = _table("label", Scope("owner_id"), _owner())
TASK_LABEL = _table(
    "task_label",
    Scope.through("task_id", "label_id"),
    _refers("task_id", "task.id", key=True),
    _refers("label_id", "label.id", key=True),
)
PAGE = _table(
    "page",
    Scope("owner_id", public="is_published", services={"index": {"SELECT"}}),
    _owner(),
    Column("is_published", Boolean, nullable=False),
)
COMMENT = _table(
    "comment", Scope.through("page_id", public=True), _refers("page_id", "page.id"),
)  # fmt: skip
NOTICE = _table("notice", Scope(None, read="everyone"), Column("title", Text))
EVENT = _table("event", Scope("owner_id", commands={"SELECT", "INSERT"}), _owner())
TICKET = _table(
    "ticket",
    Scope("owner_id"),
    _owner(),
    _refers("project_id", "project.id"),
    Column("title", Text),
)
STEP = _table(
    "step",
    Scope("owner_id"),
    _owner(),
    Column("project_id", Uuid),
    constraints=(
        ForeignKeyConstraint(["owner_id", "project_id"], ["project.owner_id", "project.id"]),
    ),
)
COUNTRY = _table("country", exempt("countries are no secret"), Column("name", Text))

PATH = _table(
    "path",  # the name of a type of PostgreSQL's (P55)
    Scope.through("project_id"),
    Column("owner_id", Uuid, nullable=False),
    Column("project_id", Uuid, nullable=False, index=True),
    constraints=(
        ForeignKeyConstraint(["owner_id", "project_id"], ["project.owner_id", "project.id"]),
    ),
)

USERS = tuple(UUID(int=number) for number in range(1, 21))
ALICE, BOB, CAROL = USERS[:3]

_TABLES = METADATA.sorted_tables


def row_of(table: Table, user: UUID) -> UUID:
    """Return the key of the one row that `fill` gives a user in `table`, and in its name."""
    return UUID(int=1000 * _TABLES.index(table) + user.int) if table is not ACCOUNT else user


def declare_in(
    database: Database, row_security: RowSecurity = ROW_SECURITY, metadata: MetaData = METADATA
) -> None:
    """Make the tables in a migrated database, with what their declarations ask for."""
    check_declarations(metadata)
    tables = metadata.sorted_tables
    with database.as_owner() as owner:
        for table in tables:  # the project may have grown one of the same name
            owner.execute(text(f'DROP TABLE IF EXISTS "{table.name}" CASCADE'))
        metadata.create_all(owner)
        owner.execute(text('DROP TABLE item, "user"'))
        before, after = around_tables(differences(owner, tables, row_security))
        for operation in (*before, *after):
            for statement in operation.statements(row_security.roles):
                owner.execute(sql.Statement(statement))


def fill(database: Database) -> None:
    """Give each of twenty users a row in each table; alice reads bob's project, carol writes."""
    with database.as_owner() as owner:
        for table in _TABLES:
            if table is not PROJECT_SHARE:
                owner.execute(table.insert(), [_values(table, user) for user in USERS])
        owner.execute(
            PROJECT_SHARE.insert(),
            [
                {"project_id": row_of(PROJECT, BOB), "user_id": user, "can_write": may_write}
                for user, may_write in ((ALICE, False), (CAROL, True))
            ],
        )
        owner.execute(text("ANALYZE"))


def _values(table: Table, user: UUID) -> dict[str, object]:
    values: dict[str, object] = {}
    for column in table.columns:
        if column.name in ("owner_id", "user_id"):
            values[column.name] = user
        elif column.name == "id":
            values[column.name] = row_of(table, user)
        elif column.name.endswith("_id"):
            values[column.name] = row_of(METADATA.tables[column.name.removesuffix("_id")], user)
        elif isinstance(column.type, Boolean):
            values[column.name] = user is BOB
        else:
            values[column.name] = f"{table.name} {user.int}"
    return values
