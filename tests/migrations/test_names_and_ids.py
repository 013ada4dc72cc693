"""Names that are SQL only in quotes, and ids of other types: there, back, and there again."""

import pytest

from tests.migrations.opening import Open, start, two_users


def test_names_that_are_sql_only_in_quotes(started: Open) -> None:
    """P41."""
    with started("odd_names") as project:
        start(project)
        alice, bob = two_users(project)
        for user in (alice, bob):
            with project.as_user(user) as connection:
                insert = 'INSERT INTO "Mixed ""Case"" %%s $$" ("select") VALUES (%s)'
                connection.execute(insert, [user])
                insert = 'INSERT INTO "Odd Schema"."order" ("Sold %%", "Owner ""id"" %%")'
                connection.execute(f"{insert} VALUES ('no', %s)", [user])
                connection.commit()
        with project.as_user(bob) as connection:
            for table in ('"Mixed ""Case"" %s $$"', '"Odd Schema"."order"'):
                assert connection.execute(f"SELECT count(*) FROM {table}").fetchall() == [(1,)]


@pytest.mark.parametrize(("project", "ids"), [("integer_ids", (1, 2)), ("text_ids", ("a", "b c"))])
def test_ids_of_other_types(started: Open, project: str, ids: tuple[object, object]) -> None:
    """The application role may draw the numbers of SERIAL columns."""
    with started(project) as mini:
        start(mini)
        with mini.deployment.database.as_owner() as owner:
            for user in ids:
                owner.exec_driver_sql('INSERT INTO "user" (id) VALUES (%s)', (user,))
        for user in ids:
            with mini.as_user(user) as connection:
                if project == "integer_ids":
                    connection.execute("INSERT INTO task (owner_id) VALUES (%s)", [user])
                else:
                    connection.execute("INSERT INTO task VALUES (%s, %s)", [f"of {user}", user])
                connection.commit()
        with mini.as_user(ids[1]) as connection:
            assert connection.execute("SELECT owner_id FROM task").fetchall() == [(ids[1],)]
