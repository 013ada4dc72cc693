"""What the tables of `firm` mean, in plain Python: nothing here is taken from the engine."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

Key = Any
"""Of a tenant or of a user: a UUID or a number."""
Row = dict[str, Any]

ROLES = ("owner", "admin", "editor", "viewer")
KEYS = {
    "membership": ("team_id", "user_id"),
    "document_tag": ("document_id", "tag_id"),
    "profile": ("user_id",),
}
"""The primary keys that are not `id`."""

PARENTS = {
    "membership": {"team_id": "team"},
    "ledger": {"team_id": "team"},
    "document": {"team_id": "team", "ledger_id": "ledger"},
    "tag": {"team_id": "team"},
    "draft": {"team_id": "team"},
    "note": {"team_id": "team"},
    "visit": {"team_id": "team"},
    "comment": {"document_id": "document"},
    "document_tag": {"document_id": "document", "tag_id": "tag"},
}
"""The foreign keys, all of which delete with what they refer to."""

CLAIMED = {"visit": ("location_id", "location"), "lead": ("org_id", "org")}


@dataclass(frozen=True)
class Who:
    """Who asks: a user, the tenant that narrows, and claims."""

    user: Key
    tenant: Key | None = None
    claims: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Rows:
    """All rows, by table and primary key, and who may what with them."""

    co_members_are_seen: bool
    """Whether memberships are declared with read="co_members"."""
    tables: dict[str, dict[tuple[Key, ...], Row]]

    def tenants(self, who: Who, *roles: str) -> set[Key]:
        """Where the user is a member, in one of the roles where some are given."""
        return {
            row["team_id"]
            for row in self.tables["membership"].values()
            if row["user_id"] == who.user
            and (not roles or row["role"] in roles)
            and who.tenant in (None, row["team_id"])
        }

    def co_members(self, who: Who) -> set[Key]:
        mine = self.tenants(who)
        return {r["user_id"] for r in self.tables["membership"].values() if r["team_id"] in mine}

    def sees(self, who: Who, table: str, row: Row) -> bool:
        match table:
            case "team":
                return row["id"] in self.tenants(who)
            case "membership":
                return (
                    (row["user_id"] == who.user and who.tenant in (None, row["team_id"]))
                    or (self.co_members_are_seen and row["team_id"] in self.tenants(who))
                    or row["team_id"] in self.tenants(who, "owner", "admin")
                )
            case "ledger":
                return row["team_id"] in self.tenants(who, "owner", "admin")
            case "document" | "tag" | "note":
                return row["team_id"] in self.tenants(who)
            case "draft":
                return row["team_id"] in self.tenants(who) and row["author_id"] == who.user
            case "visit":
                return row["team_id"] in self.tenants(who) and self._claimed(who, table, row)
            case "lead":
                return self._claimed(who, table, row)
            case "comment" | "document_tag":
                return all(
                    self.sees(who, parent, found) for parent, found in self._parents(table, row)
                )
            case "post":
                return row["owner_id"] == who.user or row["owner_id"] in self.co_members(who)
            case "profile":
                return row["user_id"] == who.user or row["user_id"] in self.co_members(who)
        raise AssertionError(table)

    def inserts(self, who: Who, table: str, row: Row) -> bool:
        return table != "membership" and self.changes(who, table, row)

    def changes(self, who: Who, table: str, row: Row) -> bool:
        """Whether the user may change this row, and into this row."""
        match table:
            case "team":
                return row["id"] in self.tenants(who, "owner", "admin")
            case "membership":
                return row["team_id"] in self.tenants(who, "owner") or (
                    row["team_id"] in self.tenants(who, "admin")
                    and row["role"] != "owner"
                    and row["user_id"] != who.user
                )
            case "ledger":
                return row["team_id"] in self.tenants(who, "owner")
            case "document":
                return row["team_id"] in self.tenants(who, "editor", "owner")
            case "note":
                return row["team_id"] in self.tenants(who) and row["author_id"] == who.user
            case "comment" | "document_tag":
                found = list(self._parents(table, row))
                return len(found) == len(PARENTS[table]) and all(
                    self.changes(who, parent, above) for parent, above in found
                )
            case "post":
                return bool(row["owner_id"] == who.user)
            case "profile":
                return bool(row["user_id"] == who.user)
        return self.sees(who, table, row)

    def deletes(self, who: Who, table: str, row: Row) -> bool:
        match table:
            case "team":
                return row["id"] in self.tenants(who, "owner")
            case "document":
                return row["team_id"] in self.tenants(who, "owner")
            case "membership":
                leaves = row["user_id"] == who.user and who.tenant in (None, row["team_id"])
                return leaves or self.changes(who, table, row)
        return self.changes(who, table, row)

    def lacks_claim(self, who: Who, table: str) -> bool:
        """Whether a statement on the table may be told so; rows it has none of in either case."""
        return table in CLAIMED and CLAIMED[table][1] not in who.claims

    def put(self, table: str, row: Row) -> None:
        self.tables[table][key_of(table, row)] = {"title": None, **row}

    def remove(self, table: str, row: Row) -> None:
        """Remove a row, and what refers to it."""
        self.tables[table].pop(key_of(table, row), None)
        for child, keys in PARENTS.items():
            for column, parent in keys.items():
                if parent == table:
                    for below in list(self.tables[child].values()):
                        if below[column] == row["id"]:
                            self.remove(child, below)

    def _claimed(self, who: Who, table: str, row: Row) -> bool:
        column, claim = CLAIMED[table]
        return str(row[column]) == who.claims.get(claim)

    def _parents(self, table: str, row: Row) -> Iterator[tuple[str, Row]]:
        for column, parent in PARENTS[table].items():
            if (row[column],) in self.tables[parent]:
                yield parent, self.tables[parent][(row[column],)]


def key_of(table: str, row: Row) -> tuple[Key, ...]:
    """Return the primary key of a row."""
    return tuple(row[column] for column in KEYS.get(table, ("id",)))
