"""What comes of a statement on the tables of `firm`, in plain Python."""

from copy import deepcopy

from tests.hedgerow.tenants.rows import Row, Rows, Who, key_of

Outcome = int | str
"""How many rows a statement touches, or the SQLSTATE that refuses it."""

REFUSED = "42501"
NO_SUCH_ROW = "23503"
TAKEN = "23505"
LAST_OWNER = "RL006"
NO_CLAIM = "RL001"


class Model(Rows):
    """All rows, as statements change them."""

    def insert(self, who: Who, table: str, row: Row, *, returning: bool) -> Outcome:
        """Return what comes of an INSERT, and have the row where that is 1."""
        refused = self._refuses_insert(who, table, row, returning=returning)
        if refused is not None:
            return refused
        self.put(table, row)
        if table == "team":
            self.put("membership", {"team_id": row["id"], "user_id": who.user, "role": "owner"})
        return 1

    def _refuses_insert(self, who: Who, table: str, row: Row, *, returning: bool) -> str | None:
        is_there = key_of(table, row) in self.tables[table]
        if table == "team":
            return REFUSED if is_there else None
        if not self.inserts(who, table, row) or (returning and not self.sees(who, table, row)):
            return REFUSED
        if is_there:
            return TAKEN
        return None if self._may_refer(who, table, row, row) else NO_SUCH_ROW

    def update(
        self, who: Who, table: str, found: list[Row], change: Row, *, by_key: bool
    ) -> Outcome:
        """Return what comes of an UPDATE of the rows `found`, and change them where it succeeds.

        Without `by_key` the statement reads no column, so nothing asks whether the rows are seen.
        """
        rows = [
            row
            for row in found
            if self.changes(who, table, row) and (not by_key or self.sees(who, table, row))
        ]
        for row in rows:
            new = row | change
            if not self.changes(who, table, new) or (by_key and not self.sees(who, table, new)):
                return REFUSED
        if not all(self._may_refer(who, table, change, row) for row in rows):
            return NO_SUCH_ROW
        after = deepcopy(self)
        for row in rows:
            del after.tables[table][key_of(table, row)]
        for row in rows:
            if key_of(table, row | change) in after.tables[table]:
                return TAKEN
            after.put(table, row | change)
        return self._become(after, rows, table)

    def delete(self, who: Who, table: str, found: list[Row], *, by_key: bool) -> Outcome:
        """Return what comes of a DELETE of the rows `found`, and remove them where it succeeds."""
        rows = [
            row
            for row in found
            if self.deletes(who, table, row) and (not by_key or self.sees(who, table, row))
        ]
        after = deepcopy(self)
        for row in rows:
            after.remove(table, row)
        return self._become(after, rows, table)

    def _become(self, after: "Model", rows: list[Row], table: str) -> Outcome:
        """Take over what a statement leaves, unless a tenant of its rows would lack an owner."""
        if table == "membership":
            owned = {row["team_id"] for row in rows if row["role"] == "owner"}
            left = after.tables["membership"].values()
            if owned - {row["team_id"] for row in left if row["role"] == "owner"}:
                return LAST_OWNER
        self.tables = after.tables
        return len(rows)

    def _may_refer(self, who: Who, table: str, values: Row, row: Row) -> bool:
        """Whether the one key that no policy decides names a row of the same team that is seen."""
        if table != "document" or values.get("ledger_id") is None:
            return True
        ledger = self.tables["ledger"].get((values["ledger_id"],))
        return (
            ledger is not None
            and ledger["team_id"] == row["team_id"]
            and self.sees(who, "ledger", ledger)
        )
