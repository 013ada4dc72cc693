"""Say an explanation in sentences, or as JSON."""

from collections.abc import Iterator
from typing import Any

from hedgerow.config.identity import Identity, Role
from hedgerow.policies.exempt import Exempt
from hedgerow.policies.registry import scope_of
from hedgerow.why.answer import Answer, Explanation, Gate, PolicyOutcome, Verdict
from hedgerow.why.question import Command, Question

_VERBS = {
    Command.SELECT: "see",
    Command.INSERT: "insert a row like",
    Command.UPDATE: "change",
    Command.DELETE: "delete",
}
_ANSWERS = {Verdict.ALLOWED: "Yes", Verdict.REFUSED: "No", Verdict.ERROR: "No: an error"}


def sentences(explanation: Explanation) -> Iterator[str]:
    """Yield the lines that a person reads."""
    question = explanation.question
    verb = _VERBS[question.command]
    yield f"May {explanation.user} {verb} {row_name(question)}?"
    if isinstance(scope := scope_of(question.table), Exempt):
        yield f"  The models exempt {question.table.fullname!r} from row security: {scope.reason}"
    for answer in explanation.answers:
        yield f"  {_ANSWERS[answer.verdict]}, as {_who(answer.identity)}: {answer.because}"
        yield from (f"    {sentence}" for sentence in answer.declared)
        yield (
            f"    Decided by: {answer.decided_by}. The request runs as {answer.database_role},"
            f" user id {answer.identity.user_id}."
        )
        for gate in answer.gates:
            yield from _gate(gate)
        if answer.caution:
            yield f"    {answer.caution}"


def summary(answer: Answer, question: Question) -> str:
    """Return one line, for a log."""
    return (
        f"{answer.identity} may{'' if answer.verdict is Verdict.ALLOWED else ' not'}"
        f" {_VERBS[question.command]} {row_name(question)} ({answer.decided_by}):"
        f" {' '.join((answer.because, *answer.declared))}"
    )


def row_name(question: Question) -> str:
    """Return the row as a person calls it."""
    key = ", ".join(f"{name}={value}" for name, value in question.key.items())
    return f"the row {key} of {question.table.fullname}"


def _who(identity: Identity) -> str:
    who = "the user" if identity.role is Role.USER else "an admin"
    return who if identity.tenant_id is None else f"{who} in tenant {identity.tenant_id}"


def _gate(gate: Gate) -> Iterator[str]:
    yield f"    {gate.command}, {gate.clause}: {'passed' if gate.passes else 'not passed'}."
    for outcome in gate.outcomes:
        kind = "policy" if outcome.permissive else "restrictive policy"
        yield f"      {kind} {outcome.name} says {_said(outcome)}: {outcome.expression}"
        for column, value in outcome.values.items():
            yield f"        where {column} is {'NULL' if value is None else repr(value)}"


def _said(outcome: PolicyOutcome) -> str:
    if outcome.error:
        return f"nothing, it fails ({outcome.error})"
    return {True: "yes", False: "no", None: "neither yes nor no (NULL), so no"}[outcome.result]


def as_json(explanation: Explanation) -> dict[str, Any]:
    """Return the same as plain values."""
    question = explanation.question
    return {
        "user": explanation.user,
        "table": question.table.fullname,
        "key": dict(question.key),
        "command": question.command.value,
        "answers": [_answer(answer) for answer in explanation.answers],
    }


def _answer(answer: Answer) -> dict[str, Any]:
    return {
        "role": answer.identity.role.value,
        "user_id": str(answer.identity.user_id),
        "tenant_id": None if answer.identity.tenant_id is None else str(answer.identity.tenant_id),
        "claims": dict(answer.identity.claims),
        "database_role": answer.database_role,
        "verdict": answer.verdict.value,
        "decided_by": answer.decided_by.value,
        "because": answer.because,
        "declared": list(answer.declared),
        "caution": answer.caution,
        "gates": [
            {
                "command": gate.command.value,
                "clause": gate.clause,
                "passes": gate.passes,
                "policies": [
                    {
                        "name": outcome.name,
                        "permissive": outcome.permissive,
                        "expression": outcome.expression,
                        "result": outcome.result,
                        "error": outcome.error,
                        "values": dict(outcome.values),
                    }
                    for outcome in gate.outcomes
                ],
            }
            for gate in answer.gates
        ],
    }
