"""The short cut that only ENVIRONMENT=local has."""

from fastapi.testclient import TestClient

from tests.app.api.support import API, bearer, sign_in
from tests.support.people import Person

PASSWORD = "a quiet hedge"


def test_an_account_is_created_without_signing_in(client: TestClient, alice: Person) -> None:
    body = {
        "email": "fay@example.com",
        "password": PASSWORD,
        "full_name": "Fay",
        "is_verified": True,
    }
    response = client.post(f"{API}/private/users/", json=body)
    assert response.status_code == 200
    account = response.json()
    assert (account["email"], account["full_name"]) == ("fay@example.com", "Fay")
    assert (account["is_active"], account["is_superuser"]) == (True, False)
    token = sign_in(client, "fay@example.com", PASSWORD).json()["access_token"]
    assert client.get(f"{API}/users/me", headers=bearer(token)).json() == account


def test_a_taken_address_is_refused(client: TestClient, alice: Person) -> None:
    body = {"email": alice.email, "password": PASSWORD, "full_name": "Alice"}
    response = client.post(f"{API}/private/users/", json=body)
    assert response.status_code == 400
    assert response.json() == {"detail": "The user with this email already exists in the system"}
