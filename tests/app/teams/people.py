"""Who asks the application with teams, and what is asked."""

import re
import time
from dataclasses import dataclass
from html import unescape
from typing import Any, Final
from uuid import UUID, uuid4

import httpx2
from sqlalchemy import text

from app.core.security import create_access_token
from tests.app.mail_server import MailServer
from tests.support.databases import Database
from tests.support.people import NO_PASSWORD, Person, add_person
from tests.support.proxy import Proxy

LIMIT: Final = 12
"""How many invitations one address may get in an hour."""


@dataclass(frozen=True)
class Served:
    """The application, where it answers, and what stands behind it."""

    address: str
    database: Database
    mail: MailServer
    proxy: Proxy
    client: httpx2.Client

    def person(self, name: str, *, superuser: bool = False) -> Person:
        """Return a new user, whose address nobody else has."""
        return add_person(self.database, f"{name}-{uuid4().hex[:8]}", items=0, superuser=superuser)

    def ask(self, who: Person, method: str, path: str, **request: Any) -> httpx2.Response:
        """Send a request of this person's."""
        token = create_access_token(who.id, NO_PASSWORD)
        headers = {"Authorization": f"Bearer {token}", **request.pop("headers", {})}
        return self.client.request(method, f"{self.address}{path}", headers=headers, **request)

    def found(self, founder: Person, name: str = "Owls") -> UUID:
        """Return a new team, of which this person is the owner."""
        return UUID(self.ask(founder, "POST", "/teams/", json={"name": name}).json()["id"])

    def add(self, team: UUID, who: Person, role: str) -> None:
        """Make a member, as the owner of the table does."""
        self.execute(
            "INSERT INTO membership (team_id, user_id, role) VALUES (:team, :user, :role)",
            team=team,
            user=who.id,
            role=role,
        )

    def invite(self, team: UUID, who: Person, email: str, role: str = "viewer") -> str:
        """Return the token that an invitation's e-mail holds."""
        before = len(self.mail.taken)
        answer = self.ask(
            who, "POST", f"/teams/{team}/invitations", json={"email": email, "role": role}
        )
        assert answer.status_code == 200, answer.text
        # They are sent after the answer, and so may be those of requests before.
        while not (sent := [one for one in self.mail.taken[before:] if one["To"] == email]):
            time.sleep(0.01)
        (link,) = re.findall(r'href="([^"]+)"', sent[-1].get_content())
        return unescape(link).partition("/accept-invitation?token=")[2]

    def accept(self, who: Person, token: str) -> httpx2.Response:
        return self.ask(who, "POST", "/teams/invitations/accept", json={"token": token})

    def roles(self, team: UUID) -> dict[UUID, str]:
        """Return the members of a team, as the owner of the table sees them."""
        rows = self.execute("SELECT user_id, role FROM membership WHERE team_id = :team", team=team)
        return {row["user_id"]: row["role"] for row in rows}

    def execute(self, statement: str, **values: Any) -> list[dict[str, Any]]:
        """Run a statement as the owner of the tables."""
        with self.database.as_owner() as connection:
            result = connection.execute(text(statement), values)
            return [dict(row) for row in result.mappings()] if result.returns_rows else []
