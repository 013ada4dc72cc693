"""More requests at once than there are connections, or threads."""

from concurrent.futures import ThreadPoolExecutor

from fastapi.testclient import TestClient

from tests.app.api.support import API, signed_in
from tests.support.people import Person

CROWD = 64
"""More than the 40 threads in which FastAPI runs synchronous code."""


def test_a_crowd_on_one_connection_is_served(client: TestClient, alice: Person) -> None:
    """Those that wait for the connection must not take every thread from the one that has it."""

    def ask(_: int) -> int:
        return client.get(f"{API}/items/", headers=signed_in(alice)).status_code

    with ThreadPoolExecutor(CROWD) as crowd:
        assert set(crowd.map(ask, range(CROWD))) == {200}
