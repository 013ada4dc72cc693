"""Names and text that go into statements come out of PostgreSQL as they went in."""

from collections.abc import Iterator

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, text

from hedgerow import sql
from hedgerow.errors import ConfigurationError
from tests.support.databases import Database

ANY_TEXT = st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=15)


@pytest.fixture(scope="module")
def owner(database: Database) -> Iterator[Connection]:
    with database.engine().connect() as connection:
        yield connection


@given(name=ANY_TEXT.filter(bool))
@example("select")
@example("Mixed Case")
@example('"; DROP TABLE item; --')
@example("100%s")
@example("%(name)s")
@example(":name")
@example("a\\b")
@settings(deadline=None)
def test_a_name_is_kept(owner: Connection, name: str) -> None:
    """P41."""
    with owner.begin() as transaction:
        owner.execute(sql.Statement(f"CREATE TEMPORARY TABLE {sql.name(name)} (id int)"))
        found = owner.scalar(
            text("SELECT relname FROM pg_class WHERE oid = to_regclass(:quoted)"),
            {"quoted": sql.table_name(name, "pg_temp")},
        )
        transaction.rollback()
    assert found == name


@pytest.mark.parametrize("standard", ["on", "off"])
@given(value=ANY_TEXT)
@example("it's")
@example("'; DROP TABLE item; --")
@example("\\'; DROP TABLE item; --")
@example("100%s")
@example("%(value)s %%")
@example(":value")
@example("back\\slash")
@settings(deadline=None)
def test_text_is_kept(owner: Connection, standard: str, value: str) -> None:
    """Also where an administrator has switched standard_conforming_strings off."""
    with owner.begin():
        owner.execute(text(f"SET LOCAL standard_conforming_strings = {standard}"))
        owner.execute(text("SET LOCAL escape_string_warning = off"))
        owner.execute(sql.Statement(f"SET LOCAL app.probe = {sql.text_literal(value)}"))
        assert owner.scalar(text("SELECT current_setting('app.probe')")) == value


def test_a_schema_is_quoted_by_itself() -> None:
    assert sql.table_name("order", "My Schema") == '"My Schema"."order"'
    assert sql.table_name("item", None) == "item"


@pytest.mark.parametrize("public", ["PUBLIC", "public"])
def test_public_is_everybody_and_no_role_of_that_name(public: str) -> None:
    assert sql.role_name(public) == "PUBLIC"
    assert sql.role_name("select") == '"select"'


def test_a_statement_is_filled_by_name() -> None:
    statement = "SELECT @{text}, '{1}' @> tags, $1, %s, :x, {a}, $b, ${c} FROM @{table}"
    filled = sql.fill(statement, text=sql.text_literal("it's @{table}"), table=sql.name("user"))
    expected = "SELECT 'it''s @{table}', '{1}' @> tags, $1, %s, :x, {a}, $b, ${c} FROM"
    assert filled == f'{expected} "user"'


@pytest.mark.parametrize("values", [{}, {"a": "1", "b": "2"}, {"b": "2"}])
def test_a_name_that_is_missing_or_left_over(values: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"^Missing or left over: "):
        sql.fill("SELECT @{a}", **values)


@pytest.mark.parametrize("placeholder", ["@{}", "@{A}", "@{a", "@{a b}"])
def test_a_placeholder_that_is_none(placeholder: str) -> None:
    with pytest.raises(ValueError, match="Invalid placeholder"):
        sql.fill(f"SELECT {placeholder}")


def test_a_value_cannot_end_the_body_of_a_function() -> None:
    """A deployment chooses the names of its roles."""
    with pytest.raises(ConfigurationError, match=r"must not hold \$body\$"):
        sql.fill("AS $body$ @{role} $body$", role=sql.text_literal("a$body$; DROP TABLE item; --"))
