"""A link of the audit trail's chain, as a person keeps it."""

import re
from dataclasses import dataclass
from typing import Final, Self

from hedgerow.audit.errors import AuditError
from hedgerow.audit.schema import GENESIS


@dataclass(frozen=True)
class Anchor:
    """A link of the chain, to be noted where the database's owner cannot write."""

    position: int
    hash: bytes

    @classmethod
    def parse(cls, written: str) -> Self:
        """Read `POSITION:HASH`; raises AuditError for anything else."""
        if not re.fullmatch(r"[0-9]{1,18}:[0-9a-fA-F]{64}", written):
            raise AuditError(
                f"{written!r} is not an anchor: give POSITION:HASH, as an earlier"
                " verification printed it."
            )
        position, _, digits = written.partition(":")
        return cls(int(position), bytes.fromhex(digits))

    def __str__(self) -> str:
        return f"{self.position}:{self.hash.hex()}"


START: Final = Anchor(0, bytes.fromhex(GENESIS.removeprefix("\\x")))
"""What the first entry of all is chained to."""
