"""A declaration that changes makes one difference to the database, which goes there and back."""

from collections.abc import Iterator, Mapping
from typing import Any, cast

import pytest
from sqlalchemy import Boolean, Column, ForeignKey, Integer, MetaData, Table, Text, Uuid, text

import hedgerow
from hedgerow import Identity, Scope
from hedgerow.migrations.operation import RowSecurityOp
from hedgerow.policies.exempt import Exempt
from tests.hedgerow.policies.playground import Playground, playground
from tests.support.databases import Database


@pytest.fixture(scope="module")
def ground(database: Database) -> Iterator[Playground]:
    with playground(database) as ground:
        yield ground


def tables(declared: Scope | Exempt) -> MetaData:
    """Return a table of another schema, whose key is SERIAL, and one of shares of its rows."""
    metadata = MetaData()
    page = Table(
        "page",
        metadata,
        Column("id", Integer, primary_key=True),
        Column("owner", Uuid, unique=True),
        Column("email", Text),
        Column("rank", Integer),
        Column("shown", Boolean),
        schema="books",
    )
    hedgerow.declare(page, declared)
    share = Table(
        "share",
        metadata,
        Column("page_id", ForeignKey("books.page.id"), primary_key=True),
        Column("user_id", Uuid, primary_key=True),
        Column("can_write", Boolean),
        schema="books",
    )
    hedgerow.declare(share, Scope.through("page_id"))
    return metadata


OWNED = Scope("owner")
SHARED = Scope("owner", shared_with="books.share")
ITSELF = Scope.itself("owner")
CHANGES: Mapping[str, tuple[Scope, Scope, set[str]]] = {
    "public": (OWNED, Scope("owner", public=True), {"rls_anonymous", "rls_app_user"}),
    "public column": (OWNED, Scope("owner", public="shown"), {"rls_anonymous", "rls_app_user"}),
    "services": (
        OWNED,
        Scope("owner", services={"import": {"INSERT"}, "report": {"SELECT"}}),
        {"rls_service"},
    ),
    "a service's command": (
        Scope("owner", services={"report": {"SELECT"}}),
        Scope("owner", services={"report": {"SELECT", "DELETE"}}),
        {"rls_service"},
    ),
    "admin_only": (OWNED, Scope("owner", admin_only={"rank": 0}), {"rls_app_user"}),
    "sign_in": (ITSELF, Scope.itself("owner", sign_in="email"), {"rls_sign_in", "rls_app_user"}),
    "secret": (
        ITSELF,
        Scope.itself("owner", secret={"rank"}),
        {"rls_admin", "rls_read_only_admin", "rls_maintenance_admin"},
    ),
    "services of shared rows": (
        SHARED,
        Scope("owner", shared_with="books.share", services={"import": {"INSERT"}}),
        {"rls_service"},
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_an_option_goes_there_and_back(change: str, ground: Playground) -> None:
    """Nothing else changes with it: no other table, no policy or privilege of another role."""
    before, after, roles = CHANGES[change]
    savepoint = ground.owner.begin_nested()
    try:
        ground.owner.execute(text("CREATE SCHEMA books"))
        ground.protect(tables(before))
        operations = ground.differences(tables(after))
        ground.run(operations)
        assert ground.differences(tables(after)) == []
        assert {role for one in operations for role in _roles(one)} == roles
        assert {getattr(one, "table", "page") for one in operations} == {"page"}
        back = [cast(RowSecurityOp, one.reverse()) for one in reversed(operations)]
        ground.run(back)
        assert ground.differences(tables(before)) == []
    finally:
        savepoint.rollback()


def _roles(operation: Any) -> set[str]:
    """Return the roles of an operation: those of a policy, or the one of a grant."""
    named = getattr(operation, "role", None)
    return {named} if named else set(getattr(operation, "roles", ()))


def test_a_service_draws_the_numbers_of_what_it_inserts(ground: Playground) -> None:
    savepoint = ground.owner.begin_nested()
    try:
        ground.owner.execute(text("CREATE SCHEMA books"))
        ground.protect(tables(Scope("owner", services={"import": {"INSERT"}})))
        insert = "INSERT INTO books.page (owner) VALUES (gen_random_uuid())"
        assert ground.attempt(Identity.service("import"), insert) == 1
        assert ground.attempt(Identity.service("report"), insert) == "42501"
        assert ground.attempt(Identity.anonymous(), insert) == "42501"
    finally:
        savepoint.rollback()
