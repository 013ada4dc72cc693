"""rls: policies from `__rls_policies__`, and its RlsSession with a context."""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from pydantic import BaseModel
from rls.rls_session import RlsSession
from rls.schemas import Command, ConditionArg, Permissive
from sqlalchemy import UUID as SQL_UUID
from sqlalchemy import column
from sqlalchemy.orm import Session

from benchmarks.database.variants import Place, Runner, as_owner, engine_for
from hedgerow import sql

HOW = (
    "its Permissive policy on owner_id for ALL commands, through RlsSession with a frozen context;"
    " settings belong to the connection, not the transaction"
)


class Asker(BaseModel, frozen=True):
    user_id: UUID


def set_up(place: Place) -> None:
    policy = Permissive(
        condition_args=[ConditionArg(comparator_name="user_id", type=SQL_UUID)],
        cmd=[Command.all],
        custom_expr=lambda user: column("owner_id") == user,
        custom_policy_name="owner",
    )
    with as_owner(place) as connection:
        # What its create_policies does for metadata.create_all.
        for state in ("ENABLE", "FORCE"):
            connection.execute(sql.Statement(f"ALTER TABLE item {state} ROW LEVEL SECURITY"))
        for statement in policy.get_sql_policies(table_name="item"):
            connection.execute(statement)


def start(place: Place) -> Runner:
    engine = engine_for(place)
    asker = Asker(user_id=place.user)

    @contextmanager
    def transaction() -> Iterator[Session]:
        with RlsSession(context=asker, bind=engine) as session:
            yield session
            session.commit()

    return Runner(transaction, engine)
