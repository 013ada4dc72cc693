"""What random histories are drawn from: who asks, which way, and rows that may be anybody's."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from tests.hedgerow.tenants.firm import Firm
from tests.hedgerow.tenants.rows import PARENTS, ROLES, Key, Row, Rows, Who
from tests.hedgerow.tenants.ways import Way

TABLES = st.sampled_from([
    "team", "membership", "ledger", "document", "tag", "draft", "note", "visit", "lead", "comment",
    "document_tag", "post", "profile",
])  # fmt: skip
USERS, TENANTS = st.sampled_from([1, 2, 3]), st.sampled_from([1, 2, 3, 4, 5])
"""By number; the first three tenants are there at first."""
ROLE = st.sampled_from(ROLES)
WAYS: st.SearchStrategy[Way] = st.sampled_from(["orm", "core", "text"])
CLAIMS = st.fixed_dictionaries(
    {}, optional={"location": st.sampled_from("12"), "org": st.sampled_from("ab")}
)
WHO = st.builds(Who, USERS, st.none() | TENANTS, CLAIMS)
LOCATIONS, ORGANIZATIONS = st.sampled_from([1, 2]), st.sampled_from("ab")


@dataclass
class Draws:
    """Rows for the tables of a firm: of its people and tenants, with parents that are stored."""

    model: Rows
    firm: Firm
    key: Callable[[int], Key]
    """Returns the key of a user or tenant by its number."""
    numbers: int = 0

    def row(self, data: st.DataObject, table: str) -> Row | None:
        """Draw a row; None where there is nothing yet that it has to refer to."""
        columns = self.firm.tables[table].columns.keys()
        row = {column: self.value(data, table, column) for column in columns}
        needed = row.keys() - {"title", "ledger_id"}
        return None if any(row[column] is None for column in needed) else row

    def value(self, data: st.DataObject, table: str, column: str) -> Any:
        """Draw what a column may hold; None where it refers to nothing."""
        self.numbers += 1
        if column == "title":
            return f"title {self.numbers}"
        if column == "id" and table != "team":
            return self.numbers
        if column == "id":
            return self.key(data.draw(TENANTS))
        if column in ("user_id", "owner_id", "author_id"):
            return self.key(data.draw(USERS))
        if parent := PARENTS.get(table, {}).get(column):
            stored = [row["id"] for row in self.model.tables[parent].values()]
            if not stored or (column == "ledger_id" and data.draw(st.booleans())):
                return None
            return data.draw(st.sampled_from(stored))
        return data.draw({"role": ROLE, "location_id": LOCATIONS, "org_id": ORGANIZATIONS}[column])

    def stored(self, data: st.DataObject, table: str) -> Row | None:
        """Draw a row that is stored, where one is."""
        rows = list(self.model.tables[table].values())
        return data.draw(st.sampled_from(rows)) if rows else None
