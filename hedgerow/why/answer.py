"""What is answered: whether it is allowed, what decided that, and how each policy came out."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from hedgerow.config.identity import Identity
from hedgerow.why.question import Command, Question


class Verdict(StrEnum):
    """How it comes out; an error reaches the application as an exception."""

    ALLOWED = "allowed"
    REFUSED = "refused"
    ERROR = "error"


class Decider(StrEnum):
    """What decided."""

    GRANT = "grant"
    IDENTITY = "identity"
    LAST_OWNER = "last owner"
    NO_ROW = "no such row"
    POLICY = "policy"
    REFERENCE = "checked key"
    ROLE = "role"
    ROW_SECURITY_OFF = "row security off"


@dataclass(frozen=True)
class PolicyOutcome:
    """One policy's condition as the server spells it, and what it says of the row.

    `result` is None where the condition is NULL, which counts as no, or where it failed with
    `error`. `values` are the row's, as text, in the columns that the policy names.
    """

    name: str
    permissive: bool
    expression: str
    result: bool | None
    error: str | None = None
    sqlstate: str | None = None
    values: Mapping[str, str | None] = field(default_factory=dict)


@dataclass(frozen=True)
class Gate:
    """The policies that a row must pass at one point: one permissive, and each restrictive."""

    command: Command
    clause: str
    outcomes: tuple[PolicyOutcome, ...]

    @property
    def passes(self) -> bool:
        """Whether the row passes; where no permissive policy applies, it does not."""
        return any(one.result for one in self.outcomes if one.permissive) and all(
            one.result for one in self.outcomes if not one.permissive
        )

    @property
    def failure(self) -> PolicyOutcome | None:
        """The first condition that could not be evaluated."""
        return next((one for one in self.outcomes if one.error), None)


@dataclass(frozen=True)
class Answer:
    """How it comes out for one identity, in the database role that its requests run in.

    `gates` are those up to the one that decided. `declared` are sentences on whose the row is, from
    the models. `caution` says what makes the answer less sure.
    """

    identity: Identity
    database_role: str
    verdict: Verdict
    decided_by: Decider
    because: str
    gates: tuple[Gate, ...] = ()
    declared: tuple[str, ...] = ()
    caution: str | None = None

    @property
    def failed(self) -> bool:
        """Whether some condition could not be evaluated."""
        return any(gate.failure for gate in self.gates)


@dataclass(frozen=True)
class Explanation:
    """The answers for each identity that the user's requests may have."""

    question: Question
    user: str
    answers: tuple[Answer, ...]
