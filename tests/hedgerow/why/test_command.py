"""`hedgerow why`, as a person types it, on the template's own database."""

import json
import subprocess
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import text

from tests.support.databases import PROJECT, Database
from tests.support.people import Person, add_person
from tests.support.programs import run_program


def why(
    database: Database, *arguments: str, folder: Path = PROJECT, **settings: str
) -> subprocess.CompletedProcess[str]:
    """Run the command that stands beside this Python."""
    return run_program(
        "hedgerow",
        "why",
        *arguments,
        folder=folder,
        environment=database.environment(**settings),
    )


def asked(database: Database, person: Person, item: object, *more: str) -> str:
    result = why(database, "--user", person.email, "--table", "item", "--id", str(item), *more)
    assert result.returncode == 0, result.stderr
    return result.stdout


def as_json(database: Database, person: Person, item: object, *more: str) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(asked(database, person, item, "--format", "json", *more))
    return answer


def complaint(result: subprocess.CompletedProcess[str]) -> str:
    assert result.returncode == 1
    assert result.stdout == ""
    [line] = result.stderr.splitlines()
    assert line.startswith("hedgerow: ")
    return line


def test_ones_own_row(database: Database, alice: Person) -> None:
    said = asked(database, alice, alice.items[0])
    assert f"May alice@example.com see the row id={alice.items[0]} of item?" in said
    assert "Yes, as the user: Policy item_owner_select lets the row through" in said
    assert "Decided by: policy. The request runs as rls_app_user" in said
    assert "as an admin" not in said


def test_a_row_of_another_user(database: Database, alice: Person, bob: Person) -> None:
    """It names the owner, because the policy does, and no other column's value."""
    said = asked(database, alice, bob.items[0])
    assert "No, as the user: No policy lets the row through (SELECT, USING)." in said
    assert (
        "policy item_owner_select says no: (owner_id = ( SELECT rls.user_id() AS user_id))" in said
    )
    assert f"where owner_id is '{bob.id}'" in said
    assert "bob's item" not in said


def test_no_such_row(database: Database, alice: Person) -> None:
    said = asked(database, alice, uuid4())
    assert "No, as the user: No row has this key." in said
    assert "Decided by: no such row." in said


def test_an_admin_is_explained_as_both(database: Database, admin: Person, alice: Person) -> None:
    answer = as_json(database, admin, alice.items[0], "--command", "update")
    as_user, as_admin = answer["answers"]
    assert (as_user["role"], as_user["verdict"]) == ("user", "refused")
    assert as_user["database_role"] == "rls_app_user"
    assert (as_admin["role"], as_admin["verdict"]) == ("admin", "allowed")
    assert as_admin["database_role"] == "rls_admin"
    assert [gate["clause"] for gate in as_admin["gates"]] == ["USING", "USING", "WITH CHECK"]


@pytest.mark.parametrize("command", ["select", "insert", "update", "delete"])
def test_json_says_how_each_policy_came_out(
    command: str, database: Database, alice: Person, bob: Person
) -> None:
    for item, verdict in ((alice.items[0], "allowed"), (bob.items[0], "refused")):
        answer = as_json(database, alice, item, "--command", command)
        assert (answer["user"], answer["table"], answer["command"]) == (
            alice.email,
            "item",
            command,
        )
        assert answer["key"] == {"id": str(item)}
        [one] = answer["answers"]
        assert (one["verdict"], one["decided_by"]) == (verdict, "policy")
        [policy] = one["gates"][-1]["policies"]
        assert policy["name"].startswith("item_owner_")
        assert policy["result"] is (verdict == "allowed")
        assert set(policy["values"]) == {"owner_id"}


def test_a_missing_grant(fresh_database: Database) -> None:
    """What is changed must first be found, which takes SELECT as well."""
    carol = add_person(fresh_database, "carol")
    for revoked, command in (("UPDATE", "update"), ("SELECT", "delete")):
        with fresh_database.as_owner() as owner:
            owner.execute(text(f"REVOKE {revoked} ON item FROM rls_app_user"))
        [answer] = as_json(fresh_database, carol, carol.items[0], "--command", command)["answers"]
        assert (answer["verdict"], answer["decided_by"]) == ("error", "grant")
        assert answer["because"] == f"Role rls_app_user was not granted {revoked} on item."


def test_a_request_in_a_tenant(database: Database, alice: Person) -> None:
    """The template has no tenants, so nothing is narrowed; but it is what the request says."""
    narrowed = ("--tenant", "7", "--claim", "place=a=b")
    said = as_json(database, alice, alice.items[0], *narrowed)
    [answer] = said["answers"]
    assert (answer["tenant_id"], answer["claims"]) == ("7", {"place": "a=b"})
    assert answer["verdict"] == "allowed"
    assert "Yes, as the user in tenant 7" in asked(database, alice, alice.items[0], *narrowed)
    refused = why(database, "--user", "a", "--table", "item", "--id", "1", "--claim", "place")
    assert refused.returncode == 2
    assert "--claim takes NAME=VALUE" in refused.stderr


def test_the_account_of_another(database: Database, alice: Person, bob: Person) -> None:
    """P52: of one's own account, too, it says which columns a user does not change."""
    result = why(database, "--user", alice.email, "--table", "user", "--id", str(bob.id))
    assert "As declared, the row is another user." in result.stdout
    account = ("--user", alice.email, "--table", "user", "--id", str(alice.id))
    result = why(database, *account, "--command", "update")
    assert "Nobody but admins changes is_active and is_superuser and id." in result.stdout


def test_what_cannot_be_asked(database: Database, alice: Person) -> None:
    item = str(alice.items[0])
    line = complaint(why(database, "--user", alice.email, "--table", "itme", "--id", item))
    assert "The project has no table 'itme'. It knows: item, user." in line
    line = complaint(why(database, "--user", alice.email, "--table", "item", "--id", "3f"))
    assert "'3f' cannot be the key of 'item', which is id (uuid)." in line
    line = complaint(why(database, "--user", alice.email, "--table", "item", "--id", "no=3"))
    assert "'no=3' cannot be the key" in line
    twice = ("--id", item, "--id", item)
    line = complaint(why(database, "--user", alice.email, "--table", "item", *twice))
    assert "The primary key of 'item' is (id): give --id id=…." in line
    line = complaint(why(database, "--user", "nobody@example.com", "--table", "item", "--id", item))
    assert "There is no user 'nobody@example.com'" in line


def test_an_unmigrated_database(empty_database: Database) -> None:
    line = complaint(
        why(empty_database, "--user", "a@example.com", "--table", "item", "--id", str(uuid4()))
    )
    assert "run `alembic upgrade head`" in line


def test_help_has_examples(database: Database) -> None:
    result = why(database, "--help")
    assert result.returncode == 0
    assert "hedgerow why --user user@example.com --table item" in result.stdout
