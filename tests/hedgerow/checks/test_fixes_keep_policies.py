"""What policies use is not taken from them: a fix that would break every request is not printed."""

from dataclasses import dataclass
from uuid import uuid4

import psycopg
import pytest
from sqlalchemy import MetaData
from sqlmodel import SQLModel

import app.models  # noqa: F401  (defines the tables)
import hedgerow
from hedgerow import Scope
from hedgerow.checks import CHECKS
from hedgerow.findings import Finding
from tests.hedgerow.checks.stage import Stage
from tests.support.people import add_person
from tests.support.raw import connect

CHECK = {check.number: check for check in CHECKS}

_MEMBERSHIP = (
    "CREATE TABLE membership (team_id uuid, user_id uuid); GRANT SELECT ON membership TO {app};"
    " INSERT INTO membership VALUES (gen_random_uuid(), gen_random_uuid());"
)
_MY_TEAMS = (
    "CREATE FUNCTION my_teams() RETURNS SETOF uuid LANGUAGE sql STABLE SECURITY DEFINER"
    " SET search_path = public, pg_temp"
    " AS 'SELECT team_id FROM membership WHERE user_id = rls.user_id()';"
)
_TEAMS = "CREATE FUNCTION teams() RETURNS SETOF uuid LANGUAGE sql STABLE AS 'SELECT my_teams()';"
_PROTECT = (
    "ALTER TABLE membership ENABLE ROW LEVEL SECURITY;"
    " CREATE POLICY of_teams ON membership FOR SELECT TO {app} USING (team_id IN (SELECT %s()));"
)
_POLICY = "CREATE POLICY of_teams ON item FOR SELECT TO {app} USING (owner_id IN (%s))"


@dataclass(frozen=True)
class Helper:
    """What a project has made for its policies, and the fix that would break them."""

    check: str
    subject: str
    plant: str
    breaks: str
    sqlstate: str


HELPERS = [
    pytest.param(
        Helper(
            "H112",
            "my_teams()",
            _MEMBERSHIP + _MY_TEAMS + _PROTECT % "my_teams" + _POLICY % "SELECT my_teams()",
            "ALTER ROUTINE my_teams() SECURITY INVOKER",
            "54001",  # stack depth limit exceeded
        ),
        id="a helper with its owner's rights",
    ),
    pytest.param(
        Helper(
            "H112",
            "my_teams()",
            _MEMBERSHIP + _MY_TEAMS + _TEAMS + _PROTECT % "teams" + _POLICY % "SELECT teams()",
            "ALTER ROUTINE my_teams() SECURITY INVOKER",
            "54001",
        ),
        id="one that another function calls",
    ),
    pytest.param(
        Helper(
            "H110",
            "my_items",
            "CREATE VIEW my_items AS SELECT owner_id FROM item WHERE owner_id = rls.user_id();"
            " GRANT SELECT ON my_items TO {app};" + _POLICY % "SELECT owner_id FROM my_items",
            "ALTER VIEW my_items SET (security_invoker = true)",
            "42P17",  # infinite recursion detected in policy
        ),
        id="a view with its owner's rights",
    ),
    pytest.param(
        Helper(
            "H111",
            "stored",
            "CREATE MATERIALIZED VIEW stored AS SELECT owner_id FROM item;"
            " GRANT SELECT ON stored TO {app};"
            " CREATE VIEW invoked WITH (security_invoker) AS SELECT * FROM stored;"
            " GRANT SELECT ON invoked TO {app};" + _POLICY % "SELECT owner_id FROM invoked",
            "REVOKE ALL ON stored FROM {app}",
            "42501",
        ),
        id="a stored view, through another",
    ),
    pytest.param(
        Helper(
            "H129",
            "membership",
            _MEMBERSHIP + _POLICY % "SELECT user_id FROM membership",
            "REVOKE ALL ON membership FROM {app}",
            "42501",
        ),
        id="memberships without policies",
    ),
]


def found(stage: Stage, number: str, subject: str) -> Finding:
    (answer,) = stage.answers(CHECK[number])
    assert answer.undetermined is None
    (finding,) = (one for one in answer.findings if one.subject == subject)
    return finding


def read_items(stage: Stage) -> None:
    """Read as a request does."""
    with connect(stage.database.app_url) as connection:
        connection.execute(f"SET app.user_id = '{uuid4()}'; SET app.role = 'user'")
        connection.execute("SELECT FROM item").fetchall()


@pytest.mark.parametrize("helper", HELPERS)
def test_what_a_policy_uses_is_left_to_it(stage: Stage, helper: Helper) -> None:
    """P28: with the rights of who asks, a helper of policies asks them again without end."""
    add_person(stage.database, "alice")
    stage.run_sql(stage.name(helper.plant))
    read_items(stage)
    finding = found(stage, helper.check, helper.subject)
    assert "olicy 'of_teams' of table 'item' " in finding.fix
    assert not finding.fix.endswith(";")
    stage.run_sql(stage.name(helper.breaks))
    with pytest.raises(psycopg.Error) as refused:
        read_items(stage)
    assert refused.value.sqlstate == helper.sqlstate


def test_a_function_of_the_projects_in_our_schema_moves_with_its_policies(stage: Stage) -> None:
    """DROP would be refused: the policy depends on it."""
    stage.run_sql(
        "CREATE FUNCTION rls.teams() RETURNS SETOF uuid LANGUAGE sql STABLE RETURN rls.user_id();"
        + stage.name(_POLICY % "SELECT rls.teams()")
    )
    stage.fix(found(stage, "H106", "rls.teams()").fix)
    (answer,) = stage.answers(CHECK["H106"])
    assert (answer.findings, answer.undetermined) == ((), None)
    read_items(stage)


@pytest.mark.parametrize(
    ("path", "expected"),
    [("", "pg_catalog, public, helpers, pg_temp"), ("SET search_path = public", "public, pg_temp")],
)
def test_a_fixed_search_path_finds_what_the_callers_found(
    stage: Stage, path: str, expected: str
) -> None:
    """P7: a helper in a schema of its own reads a table in another."""
    stage.run_sql(
        "CREATE SCHEMA helpers; GRANT USAGE ON SCHEMA helpers TO rls_app_user;"
        " CREATE FUNCTION helpers.number() RETURNS bigint LANGUAGE sql STABLE SECURITY DEFINER"
        f" {path} AS 'SELECT count(*) FROM item'"
    )
    fix = found(stage, "H113", "helpers.number()").fix
    assert fix == f"ALTER ROUTINE helpers.number() SET search_path = {expected};"
    stage.fix(fix)
    with connect(stage.database.app_url) as connection:
        connection.execute("SELECT helpers.number()")


def test_a_policy_that_a_model_leaves_alone_is_not_dropped(stage: Stage) -> None:
    models = MetaData()
    item = SQLModel.metadata.tables["item"].to_metadata(models)
    hedgerow.declare(item, Scope(unmanaged=frozenset({"by_hand"})))
    stage.metadata = models
    stage.run_sql(
        "CREATE POLICY by_hand ON item FOR SELECT TO rls_app_user USING (owner_id = rls.user_id())"
    )
    fix = found(stage, "H122", "item.by_hand").fix
    assert fix == "Change policy by_hand where it is made: its table's model leaves it to you."
