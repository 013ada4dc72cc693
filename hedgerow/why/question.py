"""What is asked: may this user do this to that row?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import MetaData, Table

from hedgerow.errors import ConfigurationError


class Command(StrEnum):
    """What is to be done to a row."""

    SELECT = "select"
    INSERT = "insert"
    UPDATE = "update"
    DELETE = "delete"

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True)
class Question:
    """A row, by its key as a person writes it, and what is to be done to it."""

    table: Table
    key: Mapping[str, str]
    command: Command = Command.SELECT


def find_table(metadata: MetaData, name: str) -> Table:
    """Return the table `name` or `schema.name`; raises ConfigurationError, listing the known."""
    found = metadata.tables.get(name)
    if found is None:
        known = ", ".join(sorted(metadata.tables)) or "none"
        raise ConfigurationError(f"The project has no table {name!r}. It knows: {known}.")
    return found


def parse_key(table: Table, given: Sequence[str]) -> Mapping[str, str]:
    """Return the value of each column of the primary key, from `column=value` or one bare value.

    Raises ConfigurationError where a column is missing, unknown or given twice.
    """
    names = [column.name for column in table.primary_key.columns]
    if len(names) == 1 and len(given) == 1 and not given[0].startswith(f"{names[0]}="):
        return {names[0]: given[0]}
    pairs = [entry.partition("=")[::2] for entry in given]
    if sorted(name for name, _ in pairs) != sorted(names):
        wanted = " ".join(f"--id {name}=…" for name in names)
        raise ConfigurationError(
            f"The primary key of {table.fullname!r} is ({', '.join(names)}): give {wanted}."
        )
    return dict(pairs)
