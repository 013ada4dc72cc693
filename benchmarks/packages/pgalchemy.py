"""pgalchemy: a policy that reads `config_value`, and `configure` in each transaction."""

from pgalchemy import Policy, PolicyCommands
from pgalchemy.config import config_value, configure
from sqlalchemy import Uuid, cast, func

from benchmarks.database.schema import ITEM
from benchmarks.database.variants import Place, Runner, as_owner, engine_for, sessions
from hedgerow import sql

HOW = "its Policy with nullif(config_value(...), '') as its page shows, and configure(session, ...)"


def set_up(place: Place) -> None:
    policy = Policy(
        "item_own",
        on=ITEM,
        for_=PolicyCommands.ALL,
        using=ITEM.c.owner_id == cast(func.nullif(config_value("app.user_id"), ""), Uuid),
    )
    with as_owner(place) as connection:
        connection.execute(sql.Statement("ALTER TABLE item ENABLE ROW LEVEL SECURITY"))
        connection.execute(sql.Statement(policy.create_sql()))


def start(place: Place) -> Runner:
    values = {"app.user_id": place.user}
    return sessions(engine_for(place), lambda session: configure(session, **values))
