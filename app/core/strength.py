"""How strong a secret has to be outside ENVIRONMENT=local."""

import re
from dataclasses import dataclass
from typing import Final

DEFAULT_SECRET: Final = "changethis"  # noqa: S105
"""The default of every secret; refused outside ENVIRONMENT=local."""

MAKE_ONE: Final = "python -c 'import secrets; print(secrets.token_urlsafe(32))'"
"""The command that prints a secret which is strong enough for every setting."""

_PUBLISHED: Final = (
    DEFAULT_SECRET,
    "changeme",
    "replaceme",
    "yoursecret",
    "yourpassword",
    "supersecret",
    # The key in FastAPI's tutorial, which many projects have copied.
    "09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7",
)


@dataclass(frozen=True)
class Strength:
    """The least that a secret must have: so many characters, so many of them different."""

    characters: int
    different: int

    def is_met_by(self, secret: str) -> bool:
        """Whether the secret is long and varied enough, and holds no published example."""
        letters = re.sub(r"[\W_]", "", secret).lower()
        return (
            len(secret) >= self.characters
            and len(set(secret)) >= self.different
            and not any(example in letters for example in _PUBLISHED)
        )

    def __str__(self) -> str:
        return (
            f"{self.characters} characters or more, {self.different} of them different, "
            "and no published example"
        )


KEY: Final = Strength(characters=32, different=8)
"""Of a key that signs: whoever has one signature can try keys as fast as a computer can."""

PASSWORD: Final = Strength(characters=12, different=5)
"""Of a password: each attempt asks the server."""

ANY: Final = Strength(characters=1, different=1)
"""Of a secret that somebody else has chosen."""
