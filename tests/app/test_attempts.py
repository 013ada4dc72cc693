"""Who guesses passwords or asks for e-mails in masses has to wait, and locks nobody out."""

from collections.abc import Callable

import pytest
from anyio.lowlevel import RunVar
from fastapi.testclient import TestClient

from app.api import attempts
from app.api.attempts import client_address
from app.core import counters
from app.core.config import settings
from tests.app.api.support import API, give_password, sign_in, signed_in
from tests.app.api.test_password_recovery import RESET, token_in
from tests.app.mail_server import MailServer
from tests.support.databases import Database
from tests.support.people import Person

PASSWORD, WRONG = "a quiet hedge", "a loud hedge"
STRANGER, ANOTHER = "203.0.113.7", "203.0.113.8"
REFUSED = {"detail": "Too many attempts: try again later"}
SIGNUP = f"{API}/users/signup"

From = Callable[[str], TestClient]


@pytest.fixture
def throttled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Allow two of everything, three at an account, five from an address, from zero."""
    for name, rate in {
        "THROTTLE_GUESSES": "2 per hour",
        "THROTTLE_ACCOUNT": "3 per hour",
        "THROTTLE_ADDRESS": "5 per hour",
        "THROTTLE_EMAILS": "2 per hour",
    }.items():
        monkeypatch.setattr(settings, name, rate)
    monkeypatch.setattr(counters, "_counters", RunVar("counters of one test"))


@pytest.fixture
def client_at(client: TestClient, throttled: None, monkeypatch: pytest.MonkeyPatch) -> From:
    """Return what gives a client at an address: as the server says, not as a header does."""

    def come_from(address: str) -> TestClient:
        monkeypatch.setattr(attempts, "client_address", lambda _: address)
        return client

    return come_from


def test_guessing_is_refused_after_a_while_and_says_for_how_long(
    client_at: From, database: Database, alice: Person
) -> None:
    give_password(database, alice, PASSWORD)
    for _ in range(2):
        assert sign_in(client_at(STRANGER), alice.email, WRONG).status_code == 400
    for password in (WRONG, PASSWORD):
        response = sign_in(client_at(STRANGER), "Alice@EXAMPLE.com", password)
        assert response.status_code == 429
        assert response.json() == REFUSED
        assert 0 < int(response.headers["Retry-After"]) <= 3600


@pytest.mark.parametrize("email", ["alice@example.com", "nobody@example.com", "no address"])
def test_accounts_that_do_not_exist_are_counted_alike(
    client_at: From, alice: Person, email: str
) -> None:
    answers = [sign_in(client_at(STRANGER), email, WRONG).status_code for _ in range(3)]
    assert answers == [400, 400, 429]


def test_the_right_password_is_not_counted_and_ends_the_count(
    client_at: From, database: Database, alice: Person
) -> None:
    give_password(database, alice, PASSWORD)
    for _ in range(4):
        assert sign_in(client_at(STRANGER), alice.email, WRONG).status_code == 400
        assert sign_in(client_at(STRANGER), alice.email, PASSWORD).status_code == 200


def test_one_address_cannot_try_one_account_after_the_other(client_at: From, alice: Person) -> None:
    answers = [sign_in(client_at(STRANGER), f"{n}@example.com", WRONG) for n in range(6)]
    assert [answer.status_code for answer in answers] == [400] * 5 + [429]
    assert sign_in(client_at(ANOTHER), "6@example.com", WRONG).status_code == 400


def test_many_addresses_cannot_try_one_account_nor_lock_its_person_out(
    client_at: From, database: Database, alice: Person
) -> None:
    give_password(database, alice, PASSWORD)
    assert sign_in(client_at("192.0.2.1"), alice.email, PASSWORD).status_code == 200
    answers = [sign_in(client_at(f"203.0.113.{n}"), alice.email, WRONG) for n in range(4)]
    assert [answer.status_code for answer in answers] == [400, 400, 400, 429]
    # At an address that she has not come from before, she waits as they do: or asks for an e-mail.
    assert sign_in(client_at(ANOTHER), alice.email, PASSWORD).status_code == 429
    assert sign_in(client_at("192.0.2.1"), alice.email, PASSWORD).status_code == 200


def test_an_emailed_link_lets_a_person_in_whom_others_have_locked_out(
    client_at: From, alice: Person, mail_server: MailServer
) -> None:
    for n in range(3):
        sign_in(client_at(f"203.0.113.{n}"), alice.email, WRONG)
    client = client_at("192.0.2.1")
    client.post(f"{API}/password-recovery/{alice.email}")
    (message,) = mail_server.taken
    body = {"token": token_in(message.get_content()), "new_password": PASSWORD}
    assert client.post(RESET, json=body).status_code == 200
    assert sign_in(client, alice.email, PASSWORD).status_code == 200


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/users/me/password", {"current_password": WRONG, "new_password": "a third hedge"}),
        ("/users/me", {"current_password": WRONG, "email": "mallory@example.com"}),
    ],
)
def test_a_stolen_token_guesses_no_faster(
    client_at: From, database: Database, alice: Person, path: str, body: dict[str, str]
) -> None:
    give_password(database, alice, PASSWORD)
    headers = signed_in(alice, PASSWORD)
    client = client_at(STRANGER)
    for _ in range(2):
        assert client.patch(f"{API}{path}", headers=headers, json=body).status_code == 400
    assert sign_in(client, alice.email, PASSWORD).status_code == 429


def test_recovery_sends_one_person_only_so_many_emails(
    client_at: From, alice: Person, mail_server: MailServer
) -> None:
    answers = [
        client_at(f"203.0.113.{n}").post(f"{API}/password-recovery/{email}")
        for email in (alice.email, "nobody@example.com")
        for n in range(3)
    ]
    assert [answer.status_code for answer in answers] == [200, 200, 429] * 2
    assert len(mail_server.taken) == 2


def test_sign_up_is_counted_for_the_address_and_for_the_account(
    client_at: From, alice: Person
) -> None:
    def sign_up(client: TestClient, name: str) -> int:
        body = {"email": f"{name}@example.com", "password": PASSWORD}
        return client.post(SIGNUP, json=body).status_code

    assert [sign_up(client_at(STRANGER), "same") for _ in range(3)] == [200, 400, 429]
    assert [sign_up(client_at(STRANGER), f"{n}") for n in range(4)] == [200, 200, 200, 429]
    assert sign_up(client_at(ANOTHER), "another") == 200


def test_a_header_does_not_say_where_a_client_is(
    client: TestClient, throttled: None, alice: Person
) -> None:
    form = {"username": alice.email, "password": WRONG}
    answers = [
        client.post(
            f"{API}/login/access-token", data=form, headers={"X-Forwarded-For": f"192.0.2.{n}"}
        ).status_code
        for n in range(3)
    ]
    assert answers == [400, 400, 429]


@pytest.mark.parametrize(
    ("host", "counted"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("testclient", "testclient"),
        (None, "unknown"),
    ],
)
def test_a_person_with_ipv6_is_one_client(host: str | None, counted: str) -> None:
    assert client_address(host) == counted
