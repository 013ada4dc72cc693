"""fastapi-rls: a UserPolicy, and the sessions of its own dependency."""

from contextlib import contextmanager
from functools import partial

from fastapi_rls import RLS, UserPolicy
from fastapi_rls.registry import PolicyRegistry
from sqlalchemy import create_engine

from benchmarks.database.variants import Place, Runner, engine_for

HOW = "its UserPolicy on owner_id, through the session dependency with its default configuration"


def set_up(place: Place) -> None:
    registry = PolicyRegistry()
    registry.register(UserPolicy("owner", column="owner_id", context_type="uuid", table="item"))
    owner = create_engine(place.owner_url)
    RLS(engine=owner, registry=registry, install_hygiene=False).sync()
    owner.dispose()


def start(place: Place) -> Runner:
    engine = engine_for(place)
    dependency = RLS(engine=engine).session_dependency(identity=dict)
    transaction = partial(contextmanager(dependency), context={"user_id": place.user})
    return Runner(transaction, engine)
