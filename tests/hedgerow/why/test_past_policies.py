"""Where no policy decides, but who asks: identities that are not believed, roles past policies."""

from dataclasses import replace
from uuid import uuid4

import pytest
from sqlalchemy import text

from hedgerow import RowSecurity, Signing
from hedgerow.provisioning.keys import reconcile_functions
from hedgerow.why.answer import Decider, Verdict
from tests.hedgerow.why.support import ALICE, TEAM, ask, project_of
from tests.support.databases import Database


def test_a_signed_identity(fresh_database: Database) -> None:
    """The owner's connection signs as a request does; another secret is no identity."""
    signed = RowSecurity(signing=Signing("the secret of this database"))
    with fresh_database.as_owner() as owner:
        reconcile_functions(owner, signed)
        owner.execute(text("CREATE TABLE team (id int PRIMARY KEY, member uuid)"))
        owner.execute(text("INSERT INTO team VALUES (1, :alice)"), {"alice": ALICE})
        owner.execute(text("ALTER TABLE team ENABLE ROW LEVEL SECURITY"))
        owner.execute(text("GRANT SELECT ON team TO rls_app_user"))
        owner.execute(text("CREATE POLICY own ON team USING (member = (SELECT rls.user_id()))"))
    assert ask(project_of(fresh_database, signed), TEAM, "1").verdict is Verdict.ALLOWED
    other = replace(signed, signing=Signing("another secret, of no database"))
    assert ask(project_of(fresh_database, other), TEAM, "1").decided_by is Decider.IDENTITY


@pytest.mark.parametrize(
    ("attribute", "power"), [("BYPASSRLS", "has BYPASSRLS"), ("SUPERUSER", "is a superuser")]
)
def test_a_role_that_no_policy_applies_to(attribute: str, power: str, tables: Database) -> None:
    """P1."""
    name = f"strong_{uuid4().hex[:10]}"
    with tables.as_owner() as owner:
        owner.execute(text(f"CREATE ROLE {name} {attribute}"))
        owner.execute(text(f"GRANT SELECT ON team TO {name}"))
    roles = replace(RowSecurity().roles, app=name)
    try:
        answer = ask(project_of(tables, RowSecurity(roles)), TEAM, "2")
    finally:
        with tables.as_owner() as owner:
            owner.execute(text(f"REVOKE ALL ON team FROM {name}"))
            owner.execute(text(f"DROP ROLE {name}"))
    assert (answer.verdict, answer.decided_by) == (Verdict.ALLOWED, Decider.ROLE)
    assert power in answer.because
