"""Count what a variant sends before it waits, with a proxy between it and the server."""

from dataclasses import dataclass, replace

from sqlalchemy import text

from benchmarks.database.measure import Contestant
from tests.support.proxy import Proxy

_QUERY = text("SELECT count(*) FROM item WHERE id IS NULL")


@dataclass(frozen=True)
class RoundTrips:
    """Round trips of one statement in a transaction that has begun, and of a whole transaction."""

    statement: int
    transaction: int


def count_round_trips(contestant: Contestant) -> RoundTrips:
    """Run the variant through a counting proxy, on a connection that is open already."""
    place = contestant.place
    with Proxy(place.owner_url) as proxy:
        runner = contestant.variant.start(replace(place, owner_url=proxy.through(place.owner_url)))
        try:
            with runner.transaction() as session:
                session.execute(_QUERY)
                before = proxy.flights
                session.execute(_QUERY)
                statement = proxy.flights - before
            before = proxy.flights
            with runner.transaction() as session:
                session.execute(_QUERY)
            return RoundTrips(statement, proxy.flights - before)
        finally:
            runner.engine.dispose()
