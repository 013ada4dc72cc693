"""What the application says of who asks, beside the user: names with values, for policies."""

import json
from collections.abc import Iterator, Mapping

from hedgerow.errors import IdentityError


class Claims(Mapping[str, str]):
    """The claims of one identity: a mapping that does not change.

    Raises IdentityError for a name that is empty, and for what PostgreSQL could not hold.
    """

    __slots__ = ("_values",)

    def __init__(self, claims: Mapping[str, str]) -> None:
        for name, value in claims.items():
            _check(name, value)
        self._values = dict(claims)

    def __getitem__(self, name: str) -> str:
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __hash__(self) -> int:
        return hash(frozenset(self._values.items()))

    def __repr__(self) -> str:
        return repr(self._values)


def as_json(claims: Mapping[str, str]) -> str:
    """Return the text that PostgreSQL gets: one for equal claims, whatever their order was."""
    return json.dumps(dict(claims), ensure_ascii=False, separators=(",", ":"), sort_keys=True)


def _check(name: object, value: object) -> None:
    if not isinstance(name, str) or not name.strip():
        raise IdentityError(f"A claim needs a name, as in claims={{'location': 'x'}}: {name!r}.")
    if not isinstance(value, str):
        raise IdentityError(
            f"The claim {name!r} is no text but {type(value).__name__}: give str(value), written as"
            " the column of the policy would show it."
        )
    for text in (name, value):
        check_text(text, f"The claim {name!r}")


def check_text(text: str, whose: str) -> None:
    """Raise IdentityError for text that PostgreSQL cannot hold; `whose` begins the message."""
    if "\0" in text:
        raise IdentityError(f"{whose} must not hold a NUL character: PostgreSQL has none.")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise IdentityError(f"{whose} is no Unicode text: PostgreSQL cannot hold it.") from None
